package agentwire

import (
	"cmp"
	"maps"
	"strconv"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Placeholders for variables that other Buildkite-compatible agents require.
const (
	organizationSlug = "switchyard"
	pipelineSlug     = "jobs"
	noRepository     = "https://switchyard.invalid/none.git"
	defaultBranch    = "main"
	pipelineProvider = "git"
)

// environment returns the environment of the job's process, from which the agent
// also reads how to run it. Submitted variables are kept, except that the command
// and the job ID come from the job itself, and that a required variable submitted
// as empty gets its default.
func environment(job record.Job) map[string]string {
	env := map[string]string{
		wire.EnvBuildkite: "true",
		wire.EnvAgentID:   job.WorkerID,
		wire.EnvBuildID:   job.Build(),
	}
	if job.Env[wire.EnvRepo] == "" {
		env[wire.EnvSkipCheckout] = "true"
	} else {
		env[wire.EnvBranch] = wire.HeadCommit // the repository's default branch; "main" may not exist
	}
	if job.Timeout > 0 {
		env[wire.EnvTimeout] = strconv.FormatInt(minutes(job.Timeout), 10)
	}
	maps.Copy(env, job.Env)
	for name, value := range requiredEnvironment(job) {
		env[name] = cmp.Or(env[name], value)
	}
	env[wire.EnvCommand] = shellCommand(job.Command)
	env[wire.EnvJobID] = job.ID // buildkite-agent 3.138 does not set it, and its bootstrap fails without it
	return env
}

// requiredEnvironment returns the variables without which other agents refuse a
// job, with their defaults.
func requiredEnvironment(job record.Job) map[string]string {
	return map[string]string{
		wire.EnvRepo:             noRepository,
		wire.EnvCommit:           wire.HeadCommit,
		wire.EnvBranch:           defaultBranch,
		wire.EnvAgentName:        job.WorkerName,
		wire.EnvOrganizationSlug: organizationSlug,
		wire.EnvPipelineSlug:     pipelineSlug,
		wire.EnvPipelineProvider: pipelineProvider,
	}
}

// minutes returns d in whole minutes, rounded up, so that the job never reads
// less time than it has.
func minutes(d time.Duration) int64 {
	return int64((d + time.Minute - 1) / time.Minute)
}
