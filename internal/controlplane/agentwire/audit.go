package agentwire

import (
	"net/http"
	"path"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/audit"
)

// audited adapts a call that changes a worker: it is recorded once it has succeeded.
// The caller is the worker itself, or the job that it runs.
func (h *Handler) audited(handle handlerFunc) handlerFunc {
	return func(r *http.Request, caller caller) (any, error) {
		body, err := handle(r, caller)
		if err == nil {
			event := audit.Event{
				Action: "agent: " + path.Base(r.URL.Path), Address: access.HostOf(r.RemoteAddr),
				Actor: "worker " + caller.workerName, ActorID: caller.workerID,
				Target: audit.Target{Kind: "worker", ID: caller.workerID, Name: caller.workerName},
			}
			if caller.workerID == "" {
				event.Actor, event.ActorID = "job", caller.job.JobID
				event.Target = audit.Target{Kind: "worker", ID: caller.job.WorkerID()}
			}
			h.options.Audit.Record(r.Context(), event)
		}
		return body, err
	}
}
