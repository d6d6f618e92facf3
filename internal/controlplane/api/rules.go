package api

import (
	"slices"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/profiles"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

const (
	// maxRequestBytes bounds the request of most calls, decompressed.
	maxRequestBytes = 128 << 10
	// maxSubmitBytes bounds a submission: the largest job, in JSON, which may need
	// six bytes for one, and 64 KiB for everything else. Many jobs have it together.
	maxSubmitBytes = 6*dispatch.MaxJobSize + 64<<10
)

// rule is what a call requires.
type rule struct {
	// scopes may make the call, beside access.Operate, which may make every call.
	// Where access.Submit is one of them, the call is limited to the token's queues.
	scopes []access.Scope
	// maxBytes bounds the request, decompressed.
	maxBytes int
}

// allows reports whether a token of the scope may make the call.
func (r rule) allows(scope access.Scope) bool {
	return scope == access.Operate || slices.Contains(r.scopes, scope)
}

// rules has the rule of every call of switchyard.v1, of metrics and of profiles. A call without a rule is
// served to nobody; TestEveryProcedureHasARule finds it.
//
//nolint:gochecknoglobals // a table, never written
var rules = map[string]rule{
	MetricsPath: {[]access.Scope{access.Read}, maxRequestBytes},

	profiles.CPUPath:       {nil, maxRequestBytes},
	profiles.HeapPath:      {nil, maxRequestBytes},
	profiles.AllocsPath:    {nil, maxRequestBytes},
	profiles.GoroutinePath: {nil, maxRequestBytes},
	profiles.MutexPath:     {nil, maxRequestBytes},
	profiles.BlockPath:     {nil, maxRequestBytes},
	profiles.TracePath:     {nil, maxRequestBytes},
	profiles.SymbolPath:    {nil, maxRequestBytes},

	switchyardv1connect.JobServiceSubmitJobProcedure:  {[]access.Scope{access.Submit}, maxSubmitBytes},
	switchyardv1connect.JobServiceSubmitJobsProcedure: {[]access.Scope{access.Submit}, maxSubmitBytes},
	switchyardv1connect.JobServiceRerunJobProcedure:   {[]access.Scope{access.Submit}, maxRequestBytes},
	switchyardv1connect.JobServiceGetJobProcedure:     {[]access.Scope{access.Read, access.Submit}, maxRequestBytes},
	switchyardv1connect.JobServiceListJobsProcedure:   {[]access.Scope{access.Read}, maxRequestBytes},
	switchyardv1connect.JobServiceFollowJobProcedure:  {[]access.Scope{access.Read, access.Submit}, maxRequestBytes},
	switchyardv1connect.JobServiceCancelJobProcedure:  {[]access.Scope{access.Submit}, maxRequestBytes},
	switchyardv1connect.JobServiceDeleteJobProcedure:  {nil, maxRequestBytes},

	switchyardv1connect.BackupServiceBackupProcedure: {nil, maxRequestBytes},

	switchyardv1connect.WorkerServiceListWorkersProcedure:  {[]access.Scope{access.Read}, maxRequestBytes},
	switchyardv1connect.WorkerServiceGetWorkerProcedure:    {[]access.Scope{access.Read}, maxRequestBytes},
	switchyardv1connect.WorkerServicePauseWorkerProcedure:  {nil, maxRequestBytes},
	switchyardv1connect.WorkerServiceResumeWorkerProcedure: {nil, maxRequestBytes},
	switchyardv1connect.WorkerServiceStopWorkerProcedure:   {nil, maxRequestBytes},
	switchyardv1connect.WorkerServiceRevokeWorkerProcedure: {nil, maxRequestBytes},

	switchyardv1connect.QueueServiceListQueuesProcedure:  {[]access.Scope{access.Read}, maxRequestBytes},
	switchyardv1connect.QueueServiceGetQueueProcedure:    {[]access.Scope{access.Read}, maxRequestBytes},
	switchyardv1connect.QueueServicePauseQueueProcedure:  {nil, maxRequestBytes},
	switchyardv1connect.QueueServiceResumeQueueProcedure: {nil, maxRequestBytes},

	switchyardv1connect.AuditServiceListAuditEventsProcedure: {nil, maxRequestBytes},

	switchyardv1connect.TokenServiceCreateTokenProcedure: {nil, maxRequestBytes},
	switchyardv1connect.TokenServiceListTokensProcedure:  {nil, maxRequestBytes},
	switchyardv1connect.TokenServiceRevokeTokenProcedure: {nil, maxRequestBytes},
}
