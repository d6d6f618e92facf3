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
}

// routes is the table of all routes that need a session. A route is one line here.
func routes() []route {
	return []route{
		{"GET /{$}", "", (*site).overview, false},
		{"GET /live", "", (*site).live, true},
		{"GET /machine/{kind}/{name}", "", (*site).picture, false},

		{"GET /jobs", switchyardv1connect.JobServiceListJobsProcedure, (*site).jobs, false},
		{"GET /jobs/new", switchyardv1connect.JobServiceSubmitJobProcedure, (*site).submitForm, false},
		{"POST /jobs", switchyardv1connect.JobServiceSubmitJobProcedure, (*site).submit, false},
		{"GET /jobs/open", switchyardv1connect.JobServiceGetJobProcedure, (*site).openJob, false},
		{"GET /jobs/{id}", switchyardv1connect.JobServiceGetJobProcedure, (*site).job, false},
		{"GET /jobs/{id}/lines", switchyardv1connect.JobServiceFollowJobProcedure, (*site).logLines, false},
		{"GET /jobs/{id}/live", switchyardv1connect.JobServiceFollowJobProcedure, (*site).logLive, true},
		{"GET /jobs/{id}/raw", switchyardv1connect.JobServiceFollowJobProcedure, (*site).logRaw, true},
		{"POST /jobs/{id}/cancel", switchyardv1connect.JobServiceCancelJobProcedure, (*site).cancel, false},
		{"POST /jobs/{id}/rerun", switchyardv1connect.JobServiceRerunJobProcedure, (*site).rerun, false},

		{"GET /workers", switchyardv1connect.WorkerServiceListWorkersProcedure, (*site).workers, false},
		{"GET /workers/{id}", switchyardv1connect.WorkerServiceGetWorkerProcedure, (*site).worker, false},
		{"POST /workers/{id}/pause", switchyardv1connect.WorkerServicePauseWorkerProcedure, (*site).pauseWorker, false},
		{"POST /workers/{id}/resume", switchyardv1connect.WorkerServiceResumeWorkerProcedure, (*site).resumeWorker, false},
		{"POST /workers/{id}/stop", switchyardv1connect.WorkerServiceStopWorkerProcedure, (*site).stopWorker, false},

		{"GET /queue", switchyardv1connect.QueueServiceListQueuesProcedure, (*site).queue, false},
		{"POST /queue/pause", switchyardv1connect.QueueServicePauseQueueProcedure, (*site).pauseQueue, false},
		{"POST /queue/resume", switchyardv1connect.QueueServiceResumeQueueProcedure, (*site).resumeQueue, false},

		{"GET /audit", switchyardv1connect.AuditServiceListAuditEventsProcedure, (*site).auditLog, false},
	}
}
