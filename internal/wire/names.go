package wire

// Prefix is the path under which the REST calls are served, and the path of
// every endpoint URL.
const Prefix = "/v3"

// TokenScheme is the scheme of the Authorization header for every token of the
// protocol: "Authorization: Token TOKEN".
const TokenScheme = "Token"

// DefaultQueue is the queue of a worker or job without a queue of its own.
const DefaultQueue = "default"

// QueueTag is the prefix of the tag that names a worker's queue.
const QueueTag = "queue="

// Header names.
const (
	// HeaderTimeout is how long the agent waits for the response, in milliseconds.
	HeaderTimeout = "Buildkite-Timeout-Milliseconds"
	// HeaderAcquireLock is "1" on an acquire: the job is locked for the caller.
	HeaderAcquireLock = "X-Buildkite-Lock-Acquire-Job"
	// HeaderAcquireAttempt counts the attempts of an acquire from 0.
	HeaderAcquireAttempt = "X-Buildkite-Backoff-Sequence"
	// HeaderKeepAlive is sent by our control plane with a stream's response
	// headers: the longest time between two messages, in whole seconds.
	HeaderKeepAlive = "Switchyard-Keep-Alive"
	// HeaderJobs is sent by our agent with each ping and heartbeat: the IDs of the
	// jobs that the agent's process holds, running or with an undelivered result,
	// separated by commas, at most MaxHeldJobs. Other agents do not send it.
	HeaderJobs = "Switchyard-Jobs"
	// HeaderMachine is sent by our agent with each ping, heartbeat and accept: the state of
	// the worker's machine, see MachineState. Other agents do not send it.
	HeaderMachine = "Switchyard-Machine"
	// HeaderRevoked is "1" on our control plane's refusal (status 401) of a worker
	// that was revoked, or of the token of its job.
	HeaderRevoked = "Switchyard-Revoked"
	// HeaderMove is sent by our control plane with the planned end of a stream: the
	// next one should be opened over another connection, at another replica if the
	// agent knows one. Other agents ignore it.
	HeaderMove = "Switchyard-Move"
	// HeaderNotDone is in the response to a call of switchyard.v1 that has failed before
	// anything was changed, and that another replica may serve.
	HeaderNotDone = "Switchyard-Not-Done"

	// RequestHeaderPrefix begins the name of every header that a control plane
	// may ask its agents to send. The case matters to existing agents.
	RequestHeaderPrefix = "Buildkite-"
)

// MaxHeldJobs is how many jobs HeaderJobs may name; a receiver ignores the rest.
const MaxHeldJobs = 64

// Paths of the REST calls below Prefix. The calls of one job are below
// PathJobs/ID.
const (
	PathRegister   = "register"
	PathToken      = "token"
	PathConnect    = "connect"
	PathDisconnect = "disconnect"
	PathHeartbeat  = "heartbeat"
	PathPing       = "ping"
	PathStop       = "stop"
	PathPause      = "pause"
	PathResume     = "resume"
	PathJobs       = "jobs"

	PathAccept         = "accept"
	PathAcquire        = "acquire"
	PathStart          = "start"
	PathChunks         = "chunks"
	PathFinish         = "finish"
	PathPromiseFailure = "promise_failure"
)

// Query parameters of an uploaded log chunk.
const (
	ChunkSequence = "sequence" // counts the chunks of a job from 1
	ChunkOffset   = "offset"   // uncompressed bytes before the chunk
	ChunkSize     = "size"     // uncompressed bytes in the chunk
)
