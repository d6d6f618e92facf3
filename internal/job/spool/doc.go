// Package spool keeps on disk what an agent owes a control plane: the output of
// a job that is not delivered yet, and how the job ended. What an agent leaves
// behind when it is killed is found there by the next one, and delivered.
//
// # What is where
//
// A spool is a folder, and a job is a folder in it, readable by its owner
// alone:
//
//	job-ID-RANDOM/
//	    lock                 held by the process whose job it is, or that delivers it
//	    job                  which job, where it is reported, and with which token
//	    chunk-NUMBER-OFFSET  one piece of output: exactly the bytes of one chunk on the wire
//	    result               how the job ended
//
// A piece that was delivered is removed, except the newest, whose name and size
// say where the output stands; it is sent again by whoever comes after a crash,
// which is harmless, since it is the same piece. job and result carry a
// checksum, and are synced before the result is sent. The pieces are not
// synced: what a process has written outlives the process, and a power cut may
// cost the last seconds of a log, but no result.
//
// # Whose it is
//
// A job belongs to the process that holds its lock, so that any number of
// agents may share a spool: none delivers what another one still runs. The
// system gives the lock back when a process ends, however it ends.
package spool
