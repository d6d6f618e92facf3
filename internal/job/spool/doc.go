// Package spool keeps on disk what a control plane has not acknowledged yet: the
// log of a job, and how the job ended. The next agent finds what a killed agent
// left there, and delivers it.
//
// # Files
//
// A spool is a directory, readable by its owner alone:
//
//	lock                  held while an agent enters, and while one adopts jobs
//	agent-OWNER           held by the agent OWNER while its process runs
//	job-OWNER-RANDOM      one job: a sequence of frames; empty: kept for a later job
//	log-RANDOM/           the chunks of a long log, one file chunk-SEQUENCE-OFFSET each
//
// A frame is a line with its kind, size and checksum, followed by its content: the
// job (where to report it, and with which token), bytes of a log chunk, or how the
// job ended. Frames are only appended; one that was being written when the process
// or the machine died fails its checksum, and is dropped. The first 64 KiB of a log
// are frames, so a short job has one file. Later chunks are files of their own, which
// are removed when they are delivered; in a frame the kind is overwritten. The newest
// chunk stays: it shows how long the log is. After a crash it is sent again, which is
// harmless, since it is the same chunk.
//
// A directory job-ID-RANDOM is a job that an agent of an earlier version left. It is
// converted when that agent has ended.
//
// # What a crash can lose
//
// Everything is written to the page cache before it is sent, so it survives the death
// of the process at any moment. It is not synced to the disk for a job that is
// delivered at once: [Entry.Sync] is called when the first attempt to deliver a result
// takes longer than a moment, or the agent leaves. Calls that come together share one
// pass of syncs. So a power failure can lose what the control plane does not have
// either, for as long as that moment takes: the end of a job which ended just then,
// and the last seconds of a log, whose chunk files are never synced. It loses nothing
// that the control plane has acknowledged, and no result that was undelivered for longer.
//
// # Ownership
//
// A job belongs to the process in its name, so any number of agents may share a
// spool, and none delivers a job that another one has. The system releases the lock
// of a process when it ends, however it ends; then another agent adopts its jobs, by
// renaming them.
package spool
