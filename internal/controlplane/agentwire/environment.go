package agentwire

import (
	"maps"
	"strconv"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// Values for agents by others, which check code out by themselves and refuse a
// job that does not say what of. They name nothing that exists.
const (
	organizationSlug = "switchyard"
	pipelineSlug     = "jobs"
	noRepository     = "https://switchyard.invalid/none.git"
)

// environment is what the job's process finds in its environment, and what an
// agent reads there to run it. What the submitter gave is kept, but for the
// command, which is said once, in Command.
func environment(job store.Job) map[string]string {
	env := map[string]string{
		"BUILDKITE":                   "true",
		"BUILDKITE_REPO":              noRepository,
		"BUILDKITE_COMMIT":            "HEAD",
		"BUILDKITE_BRANCH":            "main",
		"BUILDKITE_AGENT_ID":          job.AgentID,
		"BUILDKITE_AGENT_NAME":        job.AgentName,
		"BUILDKITE_BUILD_ID":          job.Build(),
		"BUILDKITE_ORGANIZATION_SLUG": organizationSlug,
		"BUILDKITE_PIPELINE_SLUG":     pipelineSlug,
		"BUILDKITE_PIPELINE_PROVIDER": "git",
	}
	if _, given := job.Env["BUILDKITE_REPO"]; !given {
		env["BUILDKITE_SKIP_CHECKOUT"] = "true"
	}
	if job.Timeout > 0 {
		env["BUILDKITE_TIMEOUT"] = strconv.FormatInt(minutes(job.Timeout), 10)
	}
	maps.Copy(env, job.Env)
	env["BUILDKITE_COMMAND"] = shellCommand(job.Command)
	return env
}

// minutes is d in whole minutes, upwards: the variable is for information, and a
// job is not to be told of less time than it has.
func minutes(d time.Duration) int64 {
	return int64((d + time.Minute - 1) / time.Minute)
}
