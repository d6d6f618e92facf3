// Package logpipe moves the log of a job to the control plane. Data flows in one
// direction, through stages that know only the next one:
//
//	Write, Notef -> redact -> timestamps -> queue -> upload
//
// [Pipe.Write] takes the output of the job, [Pipe.Notef] lines of the agent's own.
// Both pass the same stages, in the order in which they are written. Each stage
// gets the origin of the bytes together with the bytes, because the queue treats
// the two differently: output that finds no room is dropped, a line of the agent
// never is.
//
// # Chunks
//
// The queue collects bytes into chunks. A chunk is uploaded when it is full, when
// most of the chunk interval has passed since its first byte, and at [Pipe.Flush].
// While all uploads are busy, chunks wait, and the last one is filled up.
//
// # Bounds
//
// Every byte is written to the spool at once, where it survives the agent; as much
// as fits is kept in memory too, which saves reading it back. When both are full,
// Write blocks, for one minute per job in all. After that output is dropped, and the
// log says where and how much.
//
// # Failures
//
// A chunk whose upload fails is tried again at the flush if it is in the spool, and
// stays there if it fails again, for the next delivery of leftovers ([Resend]). A
// chunk that the control plane refuses is lost. [Pipe.Stats] counts both. Once it
// refuses a chunk because the log has reached its limit, nothing more is uploaded or
// kept, which does not count as a failure.
package logpipe
