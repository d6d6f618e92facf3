package web

import (
	"net/http"

	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// route is a route that needs a session.
type route struct {
	pattern string
	// procedure is the call whose rule says which tokens may use the route; empty is every
	// token that can sign in.
	procedure string
	serve     func(s *site, w http.ResponseWriter, r *http.Request) error
	stream    bool
	// shared is set if everybody with the same token may have the same page for a moment.
	shared bool
}

// routes is the table of all routes that need a session. A route is one line here.
func routes() []route {
	return []route{
		{pattern: "GET /{$}", serve: (*site).overview, shared: true},
		{pattern: "GET " + livePath, serve: (*site).live, stream: true},
		{pattern: "GET /machine/{kind}/{name}", serve: (*site).picture},

		{pattern: "GET /jobs", procedure: switchyardv1connect.JobServiceListJobsProcedure, serve: (*site).jobs, shared: true},
		{pattern: "GET /jobs/new", procedure: switchyardv1connect.JobServiceSubmitJobProcedure, serve: (*site).submitForm},
		{pattern: "POST /jobs", procedure: switchyardv1connect.JobServiceSubmitJobProcedure, serve: (*site).submit},
		{pattern: "GET /jobs/open", procedure: switchyardv1connect.JobServiceGetJobProcedure, serve: (*site).openJob},
		{pattern: "GET /jobs/{id}", procedure: switchyardv1connect.JobServiceGetJobProcedure, serve: (*site).job},
		{pattern: "GET /jobs/{id}/lines", procedure: switchyardv1connect.JobServiceFollowJobProcedure, serve: (*site).logLines},
		{pattern: "GET /jobs/{id}/live", procedure: switchyardv1connect.JobServiceFollowJobProcedure, serve: (*site).logLive, stream: true},
		{pattern: "GET /jobs/{id}/raw", procedure: switchyardv1connect.JobServiceFollowJobProcedure, serve: (*site).logRaw, stream: true},
		{pattern: "POST /jobs/{id}/cancel", procedure: switchyardv1connect.JobServiceCancelJobProcedure, serve: (*site).cancel},
		{pattern: "POST /jobs/{id}/rerun", procedure: switchyardv1connect.JobServiceRerunJobProcedure, serve: (*site).rerun},

		{pattern: "GET /workers", procedure: switchyardv1connect.WorkerServiceListWorkersProcedure, serve: (*site).workers, shared: true},
		{pattern: "GET /workers/{id}", procedure: switchyardv1connect.WorkerServiceGetWorkerProcedure, serve: (*site).worker},
		{pattern: "POST /workers/{id}/pause", procedure: switchyardv1connect.WorkerServicePauseWorkerProcedure, serve: (*site).pauseWorker},
		{pattern: "POST /workers/{id}/resume", procedure: switchyardv1connect.WorkerServiceResumeWorkerProcedure, serve: (*site).resumeWorker},
		{pattern: "POST /workers/{id}/stop", procedure: switchyardv1connect.WorkerServiceStopWorkerProcedure, serve: (*site).stopWorker},

		{pattern: "GET /queue", procedure: switchyardv1connect.QueueServiceListQueuesProcedure, serve: (*site).queue},
		{pattern: "POST /queue/pause", procedure: switchyardv1connect.QueueServicePauseQueueProcedure, serve: (*site).pauseQueue},
		{pattern: "POST /queue/resume", procedure: switchyardv1connect.QueueServiceResumeQueueProcedure, serve: (*site).resumeQueue},

		{pattern: "GET /audit", procedure: switchyardv1connect.AuditServiceListAuditEventsProcedure, serve: (*site).auditLog, shared: true},
	}
}
