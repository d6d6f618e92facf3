// Package joblink connects a command inside a job with the agent that runs the
// job. [Listen] is the agent's end, [Redact] the command's.
//
// An agent has one private Unix socket for all of its jobs. The environment variable
// [Variable] of a job has the path of the socket and a random key, which names the job.
// A connection carries one JSON object in each direction.
package joblink
