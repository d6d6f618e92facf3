// Package joblink lets a command inside a job speak with the agent that runs
// the job: [Listen] is the agent's end, and [Redact] the command's.
//
// Between them is a Unix socket for each job, in a folder that is private to
// the agent's user. The job finds its path in [Variable]. Each connection
// carries one JSON object there, and one back. On Windows there is none of
// this.
package joblink
