package job

import (
	"errors"
	"net/http"
	"time"
)

// Spec is one job as the control plane sent it.
type Spec struct {
	// ID of the job; required.
	ID string
	// Env is the job's environment. BUILDKITE_COMMAND is the command: a script for
	// the shell.
	Env map[string]string
	// Token is the job's own token, for the commands that it runs. It is never the
	// worker's session token.
	Token string
	// Endpoint is the control plane's endpoint for the commands that the job runs.
	Endpoint string
	// ReportEndpoint is the endpoint to which the job is reported, for the spool.
	ReportEndpoint string
	// Headers are the request headers that the control plane has asked for. Those
	// that begin with "Buildkite-" are passed on to the job's commands.
	Headers http.Header
	// ChunkMaxSize is the most bytes of a log chunk. Zero is refused: the job is
	// started, and finished with reason agent_refused, without being run. Chunks
	// never exceed 1 MiB.
	ChunkMaxSize uint64
	// ChunkInterval is the longest that output waits for its chunk to fill; 0 means
	// 1 s.
	ChunkInterval time.Duration
	// LogMaxSize is the log size, in bytes, above which the agent logs a warning; 0
	// means 1 GiB. Uploads continue.
	LogMaxSize uint64
	// Timeout is the most time from the start of the job to the end of its process;
	// 0 means no limit.
	Timeout time.Duration
	// TraceParent and TraceState are passed to the command for its own traces; empty
	// if there are none.
	TraceParent, TraceState string
}

const (
	defaultChunkInterval = time.Second
	defaultLogMaxSize    = 1 << 30
)

// withDefaults returns the job with every zero replaced as its field says. An error
// means that the job cannot even be started. What only prevents it from being run is
// found later, and reported to the control plane.
func (s Spec) withDefaults() (Spec, error) {
	if s.ID == "" {
		return s, errors.New("missing job ID")
	}
	if s.ChunkInterval <= 0 {
		s.ChunkInterval = defaultChunkInterval
	}
	if s.LogMaxSize == 0 {
		s.LogMaxSize = defaultLogMaxSize
	}
	return s, nil
}
