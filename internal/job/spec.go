package job

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Spec is one job to run.
type Spec struct {
	// Job is the job as the control plane sent it. ID is required. The command is
	// Env["BUILDKITE_COMMAND"], a script for the shell. Endpoint is for the commands
	// that the job runs; empty means ReportEndpoint. A job whose ChunkMaxSize is 0 is
	// started, and finished with reason agent_refused, without being run.
	// ChunkInterval 0 means 1 s. Above LogMaxSize (0 means 1 GiB) the agent logs a
	// warning, and uploads continue.
	wire.Job

	// ReportEndpoint is the endpoint to which the job is reported.
	ReportEndpoint string
	// Headers are the request headers that the control plane has asked for. Those
	// that begin with "Buildkite-" are passed on to the job's commands.
	Headers http.Header
}

const defaultLogMaxSize = 1 << 30

// withDefaults returns the job with every zero replaced as its field says. An error
// means that the job cannot even be started. What only prevents it from being run is
// found later, and reported to the control plane.
func (s Spec) withDefaults() (Spec, error) {
	if s.ID == "" {
		return s, errors.New("missing job ID")
	}
	s.Endpoint = cmp.Or(s.Endpoint, s.ReportEndpoint)
	s.LogMaxSize = cmp.Or(s.LogMaxSize, defaultLogMaxSize)
	return s, nil
}

// limit returns how long the job may run, or zero for no limit. BUILDKITE_TIMEOUT does
// not count: existing agents leave that one to the control plane.
func (s Spec) limit() time.Duration {
	return time.Duration(min(max(s.TimeoutSeconds, 0), maxLimit)) * time.Second
}

// maxLimit is about 30 years, in seconds.
const maxLimit = 1e9

// chunkInterval returns how long output may wait for its chunk to fill.
func (s Spec) chunkInterval() time.Duration {
	if interval := time.Duration(s.ChunkInterval) * time.Second; interval > 0 {
		return interval
	}
	return time.Second // zero, negative or too large
}
