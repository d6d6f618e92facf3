package agentwire

import (
	"cmp"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/internal/wire/tracecontext"
)

// Placeholders for variables that other Buildkite-compatible agents require.
const (
	organizationSlug = "switchyard"
	pipelineSlug     = "jobs"
	noRepository     = "https://switchyard.invalid/none.git"
	buildURL         = "https://switchyard.invalid/builds/" // there is no page of a build
	defaultBranch    = "main"
	pipelineProvider = "git"
)

const (
	// sourceAPI is where every job comes from.
	sourceAPI = "api"
	// retryAutomatic is how a job is retried.
	retryAutomatic = "automatic"
	// maxLabel is the most characters of a label.
	maxLabel = 100
)

// environment returns the environment of the job's process, from which the agent
// also reads how to run it. Submitted variables are kept, except that the command
// and the job ID come from the job itself, and that a required variable submitted
// as empty gets its default.
func environment(job record.Job) map[string]string {
	env := describedEnvironment(job)
	env[wire.EnvBuildkite], env[wire.EnvAgentID], env[wire.EnvBuildID] = "true", job.WorkerID, job.Build()
	if job.Env[wire.EnvRepo] == "" {
		env[wire.EnvSkipCheckout] = "true"
	} else {
		env[wire.EnvBranch] = wire.HeadCommit // the repository's default branch; "main" may not exist
	}
	if job.TraceParent != "" { // our agent replaces it by the span of the process
		env[tracecontext.EnvParent], env[tracecontext.EnvState] = job.TraceParent, job.TraceState
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

// describedEnvironment returns variables that jobs of existing pipelines read, as far as
// they are true here. A build has one step. Its number is the moment of its submission, in
// milliseconds since 1970, so later builds have higher numbers.
func describedEnvironment(job record.Job) map[string]string {
	label := labelOf(job.Command)
	env := map[string]string{
		wire.EnvBuildURL:     buildURL + job.Build(),
		wire.EnvStepID:       job.Build(),
		wire.EnvLabel:        label,
		wire.EnvMessage:      label,
		wire.EnvSource:       sourceAPI,
		wire.EnvPipelineName: pipelineSlug,
		wire.EnvQueue:        job.Queue,
		wire.EnvPullRequest:  "false",
		wire.EnvTag:          "",
		wire.EnvRetryCount:   strconv.Itoa(job.RetryCount),
	}
	if job.RetryCount > 0 {
		env[wire.EnvRetryType] = retryAutomatic
	}
	if build, err := uuid.Parse(job.Build()); err == nil {
		seconds, nanos := build.Time().UnixTime()
		env[wire.EnvBuildNumber] = strconv.FormatInt(time.Unix(seconds, nanos).UnixMilli(), 10)
	}
	return env
}

// labelOf returns the beginning of a command, on one line.
func labelOf(command []string) string {
	label := []rune(strings.Join(strings.Fields(strings.Join(command, " ")), " "))
	return string(label[:min(len(label), maxLabel)])
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
