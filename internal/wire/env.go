package wire

// Environment variables of a job, set by the control plane, the agent, or both.
const (
	EnvBuildkite           = "BUILDKITE"
	EnvAgentAccessToken    = "BUILDKITE_AGENT_ACCESS_TOKEN" //nolint:gosec // a variable's name, not a credential
	EnvAgentEndpoint       = "BUILDKITE_AGENT_ENDPOINT"
	EnvAgentID             = "BUILDKITE_AGENT_ID"
	EnvAgentName           = "BUILDKITE_AGENT_NAME"
	EnvAgentPID            = "BUILDKITE_AGENT_PID"
	EnvAgentToken          = "BUILDKITE_AGENT_TOKEN" //nolint:gosec // the same
	EnvBranch              = "BUILDKITE_BRANCH"
	EnvBuildID             = "BUILDKITE_BUILD_ID"
	EnvBuildPath           = "BUILDKITE_BUILD_PATH"
	EnvCancelSignal        = "BUILDKITE_CANCEL_SIGNAL"
	EnvCheckoutPath        = "BUILDKITE_BUILD_CHECKOUT_PATH"
	EnvCommand             = "BUILDKITE_COMMAND"
	EnvCommandEval         = "BUILDKITE_COMMAND_EVAL"
	EnvCommit              = "BUILDKITE_COMMIT"
	EnvEnvFile             = "BUILDKITE_ENV_FILE"
	EnvEnvJSONFile         = "BUILDKITE_ENV_JSON_FILE"
	EnvGroupKey            = "BUILDKITE_GROUP_KEY"
	EnvJobID               = "BUILDKITE_JOB_ID"
	EnvLocalHooksEnabled   = "BUILDKITE_LOCAL_HOOKS_ENABLED"
	EnvOrganizationSlug    = "BUILDKITE_ORGANIZATION_SLUG"
	EnvPipelineProvider    = "BUILDKITE_PIPELINE_PROVIDER"
	EnvPipelineSlug        = "BUILDKITE_PIPELINE_SLUG"
	EnvPluginsEnabled      = "BUILDKITE_PLUGINS_ENABLED"
	EnvPTY                 = "BUILDKITE_PTY"
	EnvRedactedVars        = "BUILDKITE_REDACTED_VARS"
	EnvRepo                = "BUILDKITE_REPO"
	EnvShell               = "BUILDKITE_SHELL"
	EnvSkipCheckout        = "BUILDKITE_SKIP_CHECKOUT"
	EnvStepKey             = "BUILDKITE_STEP_KEY"
	EnvTimeout             = "BUILDKITE_TIMEOUT"
	EnvTraceParent         = "BUILDKITE_TRACING_TRACEPARENT"
	EnvTraceState          = "BUILDKITE_TRACING_TRACESTATE"
	EnvPrefix              = "BUILDKITE_"
	EnvRequestHeaderPrefix = "BUILDKITE_REQUEST_HEADER_"
	EnvSwitchyardPrefix    = "SWITCHYARD_"
	HeadCommit             = "HEAD" // EnvCommit: the tip of EnvBranch; EnvBranch: the repository's default branch
)
