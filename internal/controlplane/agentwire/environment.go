package agentwire

import (
	"cmp"
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
// command, which is said once, in Command, and for an empty value where agents
// want one, which is none to them.
func environment(job store.Job) map[string]string {
	env := map[string]string{
		"BUILDKITE":          "true",
		"BUILDKITE_AGENT_ID": job.WorkerID,
		"BUILDKITE_BUILD_ID": job.Build(),
	}
	if job.Env["BUILDKITE_REPO"] == "" {
		env["BUILDKITE_SKIP_CHECKOUT"] = "true"
	} else {
		env["BUILDKITE_BRANCH"] = "HEAD" // the repository's own choice; "main" might not exist
	}
	if job.Timeout > 0 {
		env["BUILDKITE_TIMEOUT"] = strconv.FormatInt(minutes(job.Timeout), 10)
	}
	maps.Copy(env, job.Env)
	for name, value := range wanted(job) {
		env[name] = cmp.Or(env[name], value)
	}
	env["BUILDKITE_COMMAND"] = shellCommand(job.Command)
	env["BUILDKITE_JOB_ID"] = job.ID // buildkite-agent 3.138 does not set it, and its bootstrap refuses to run without
	return env
}

// wanted are the variables without which an agent by others refuses a job, and
// what stands where the submitter gave none.
func wanted(job store.Job) map[string]string {
	return map[string]string{
		"BUILDKITE_REPO":              noRepository,
		"BUILDKITE_COMMIT":            "HEAD",
		"BUILDKITE_BRANCH":            "main",
		"BUILDKITE_AGENT_NAME":        job.WorkerName,
		"BUILDKITE_ORGANIZATION_SLUG": organizationSlug,
		"BUILDKITE_PIPELINE_SLUG":     pipelineSlug,
		"BUILDKITE_PIPELINE_PROVIDER": "git",
	}
}

// minutes is d in whole minutes, upwards: the variable is for information, and a
// job is not to be told of less time than it has.
func minutes(d time.Duration) int64 {
	return int64((d + time.Minute - 1) / time.Minute)
}
