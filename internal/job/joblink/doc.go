// Package joblink connects a command inside a job with the agent that runs the
// job. [Listen] is the agent's end, [Redact] the command's.
//
// Each job has a private Unix socket, whose path is in the environment variable
// [Variable]. A connection carries one JSON object in each direction.
package joblink
