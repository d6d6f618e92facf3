package wire

import "time"

// RegisterRequest is the body of POST register: a worker's description of itself.
type RegisterRequest struct {
	Name     string `json:"name"`
	Hostname string `json:"hostname"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	// ScriptEvalEnabled is set where jobs may bring commands of their own.
	ScriptEvalEnabled bool `json:"script_eval_enabled"`
	// IgnoreInDispatches registers a worker that is assigned no jobs, such as one
	// that acquires a job by its ID.
	IgnoreInDispatches bool `json:"ignore_in_dispatches"`
	// Priority is a whole number in decimal; empty is 0.
	Priority string `json:"priority,omitempty"`
	Version  string `json:"version"`
	Build    string `json:"build"`
	// Tags are "key=value" pairs; "queue=NAME" names the queue.
	Tags      []string `json:"meta_data"`
	PID       int      `json:"pid,omitempty"`
	MachineID string   `json:"machine_id,omitempty"`
	// Features names what the agent supports.
	Features []string `json:"features"`
}

// RegisterResponse is the response to POST register. Intervals are in seconds.
type RegisterResponse struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// AccessToken is the worker's session token. It is a secret.
	AccessToken string `json:"access_token"`
	// Endpoint is the base URL to use from now on; empty is the present one.
	Endpoint string `json:"endpoint"`
	// RequestHeaders is the whole set of headers to send from now on; nil keeps
	// the present set.
	RequestHeaders    map[string]string `json:"request_headers,omitempty"`
	PingInterval      int64             `json:"ping_interval"`
	JobStatusInterval int64             `json:"job_status_interval"`
	HeartbeatInterval int64             `json:"heartbeat_interval"`
	Tags              []string          `json:"meta_data"`
}

// PingResponse is the response to GET ping; the empty object is idle.
type PingResponse struct {
	// Action is ActionPause, ActionDisconnect, or anything else for none.
	Action string `json:"action,omitempty"`
	// Message is for people.
	Message string `json:"message,omitempty"`
	// Job is the job assigned to the worker; nil if there is none.
	Job            *PingJob          `json:"job,omitempty"`
	Endpoint       string            `json:"endpoint,omitempty"`
	RequestHeaders map[string]string `json:"request_headers,omitempty"`
}

// PingJob names the job of a PingResponse.
type PingJob struct {
	ID string `json:"id"`
}

// HeartbeatRequest is the body of POST heartbeat. Moments are RFC 3339 with nanoseconds.
type HeartbeatRequest struct {
	SentAt string `json:"sent_at"`
}

// HeartbeatResponse is the response to POST heartbeat.
type HeartbeatResponse struct {
	SentAt     string `json:"sent_at"`
	ReceivedAt string `json:"received_at"`
}

// Job is the response to PUT jobs/ID/accept and jobs/ID/acquire.
type Job struct {
	ID string `json:"id"`
	// Endpoint is the base URL for the job's own commands; empty is the session's.
	Endpoint string `json:"endpoint"`
	State    string `json:"state"`
	// Env is the job's environment, its command included.
	Env map[string]string `json:"env"`
	// ChunkMaxSize is the most uncompressed bytes of one log chunk; zero means
	// that no log can be sent.
	ChunkMaxSize uint64 `json:"chunks_max_size_bytes"`
	// ChunkInterval is how long to gather output into a chunk, in seconds.
	ChunkInterval int64 `json:"chunks_interval_seconds"`
	// LogMaxSize is the most bytes of the whole log; zero means not announced.
	LogMaxSize uint64 `json:"log_max_size_bytes"`
	// TimeoutSeconds is how long the job may run; zero means without a limit, or not
	// announced. Only our control plane sends it. EnvTimeout has whole minutes.
	TimeoutSeconds int64 `json:"switchyard_timeout_seconds,omitempty"`
	// Limits are those of the job's submitter. Only our control plane sends them, and
	// agents of other kinds ignore them.
	Limits Limits `json:"switchyard_limits,omitzero"`
	// Token is the job's own token; empty means that the session's serves. It is
	// a secret.
	Token       string `json:"token"`
	StartedAt   string `json:"started_at,omitempty"`
	RunnableAt  string `json:"runnable_at"`
	TraceParent string `json:"traceparent,omitempty"`
	TraceState  string `json:"tracestate,omitempty"`
	Priority    int32  `json:"priority"`
}

// String names the job; it keeps the token out of logs.
func (j Job) String() string { return "job " + j.ID }

// GoString returns the same as String, so that %#v does not print the token.
func (j Job) GoString() string { return j.String() }

// StartRequest is the body of PUT jobs/ID/start.
type StartRequest struct {
	StartedAt string `json:"started_at,omitempty"`
}

// FinishRequest is the body of PUT jobs/ID/finish: how a job ended.
type FinishRequest struct {
	// ExitStatus is in decimal; ExitStatusNeverRan if the command never ran.
	ExitStatus string `json:"exit_status,omitempty"`
	// Signal is the name of the signal that ended the command, such as SIGTERM.
	Signal string `json:"signal,omitempty"`
	// SignalReason is why the agent ended the command: one of the Reason
	// constants, or empty.
	SignalReason string `json:"signal_reason,omitempty"`
	FinishedAt   string `json:"finished_at,omitempty"`
	// ChunksFailed counts the log chunks that could not be delivered.
	ChunksFailed int `json:"chunks_failed_count"`
	// IgnoreAgent asks that the worker is assigned no more jobs.
	IgnoreAgent bool `json:"ignore_agent_in_dispatches,omitempty"`
	// Usage is what the command took; zero if it never ran or its end was not seen.
	// Only our own agents send it, and other control planes ignore it.
	Usage Usage `json:"switchyard_usage,omitzero"`
}

// Usage is what the processes of a job took. Each field is zero if it is not known.
type Usage struct {
	WallMicros int64 `json:"wall_us,omitempty"` // from the start of the command to its end
	CPUMicros  int64 `json:"cpu_us,omitempty"`  // in user and kernel mode, of all processors
	// PeakMemory is in bytes: of all processes together if Group is set, else of the
	// largest one; 0 is not known. Linux counts the memory of the agent, too, which each
	// process has for a moment when it is started, so less than that is not known.
	PeakMemory int64 `json:"peak_memory_bytes,omitempty"`
	// Group is set if the job had a control group, so that all of its processes are
	// counted; else processes that it left running are not.
	Group bool `json:"group,omitempty"`
	// MemoryLimit is set if processes of the job were killed because of it, in bytes.
	MemoryLimit int64 `json:"memory_limit_exceeded_bytes,omitempty"`
}

// Valid reports whether an agent can have measured it.
func (u Usage) Valid() bool {
	return u.WallMicros >= 0 && u.CPUMicros >= 0 && u.PeakMemory >= 0 && u.MemoryLimit >= 0
}

// Chunk is one chunk of a job's log: the body of POST jobs/ID/chunks, before it
// is compressed, with its place in the log.
type Chunk struct {
	// Sequence counts the chunks of a job from 1, without gaps.
	Sequence uint64
	// Offset is how many bytes of the log come before the chunk.
	Offset uint64
	// Data is valid only until the call that it is passed to returns.
	Data []byte
}

// End returns the offset of the byte after the chunk.
func (c Chunk) End() uint64 { return c.Offset + uint64(len(c.Data)) }

// JobStateResponse is the response to GET jobs/ID.
type JobStateResponse struct {
	State JobState `json:"state"`
}

// StopRequest is the body of POST stop.
type StopRequest struct {
	// Force cancels the running job; otherwise it may finish.
	Force bool `json:"force"`
}

// PauseRequest is the body of POST pause.
type PauseRequest struct {
	Note             string `json:"note"`
	TimeoutInMinutes int    `json:"timeout_in_minutes"`
}

// ErrorResponse is the body of every response that is not a success.
type ErrorResponse struct {
	Message string `json:"message"`
}

// FormatTime returns a moment as the protocol has it: RFC 3339 with nanoseconds in
// UTC, or an empty string for the zero time.
func FormatTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339Nano)
}
