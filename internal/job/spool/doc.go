// Package spool keeps on disk what a control plane has not acknowledged yet: the
// log of a job, and how the job ended. The next agent finds what a killed agent
// left there, and delivers it.
//
// # Files
//
// A spool is a directory, and each job is a directory in it, readable by its
// owner alone:
//
//	job-ID-RANDOM/
//	    lock                   held by the process that runs the job or delivers it
//	    job                    which job, where to report it, and with which token
//	    chunk-SEQUENCE-OFFSET  the bytes of one log chunk
//	    result                 how the job ended
//
// A delivered chunk is removed, except the newest, whose name and size show how
// long the log is. After a crash the newest chunk is sent again, which is
// harmless, since it is the same chunk. The files job and result carry a
// checksum and are synced before the result is sent. Chunks are not synced: a power
// failure may lose the last seconds of a log, but no result.
//
// # Ownership
//
// A job belongs to the process that holds its lock, so any number of agents may
// share a spool, and none delivers a job that another one runs. The system
// releases the lock when the process ends, however it ends.
package spool
