// Package joblink connects a command inside a job with the agent that runs the
// job. [Listen] is the agent's end, [Redact] the command's.
//
// Each job has a Unix socket in a directory that is private to the agent's user.
// The job's environment variable [Variable] holds its path. A connection carries
// one JSON object in each direction. Windows is not supported.
package joblink
