package web

import (
	"net/http"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/api"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// view is what a template shows.
type view struct {
	Title  string
	Caller access.Principal // the zero value before the sign-in
	May    permissions
	Nav    []link
	// Live is the stream that says when to load the parts of the page again; empty is none.
	Live string
	// Done is what the request before this one did; empty is nothing.
	Done string
	Data any
}

// link is a link of the navigation.
type link struct {
	Name, Href string
	Current    bool
}

// permissions are what the page offers to its reader, by the rules of the API.
type permissions struct{ ListJobs, Submit, Cancel, Control, PauseQueue, Audit, Workers bool }

func permissionsOf(scope access.Scope) permissions {
	return permissions{
		ListJobs:   api.Allows(scope, switchyardv1connect.JobServiceListJobsProcedure),
		Submit:     api.Allows(scope, switchyardv1connect.JobServiceSubmitJobProcedure),
		Cancel:     api.Allows(scope, switchyardv1connect.JobServiceCancelJobProcedure),
		Control:    api.Allows(scope, switchyardv1connect.WorkerServicePauseWorkerProcedure),
		PauseQueue: api.Allows(scope, switchyardv1connect.QueueServicePauseQueueProcedure),
		Audit:      api.Allows(scope, switchyardv1connect.AuditServiceListAuditEventsProcedure),
		Workers:    api.Allows(scope, switchyardv1connect.WorkerServiceListWorkersProcedure),
	}
}

// done are the texts for the parameter of the same name.
func done(word string) string {
	return map[string]string{
		"submitted": "The job was submitted.", "canceled": "The cancellation was requested.", "rerun": "The job was submitted again.",
		"paused": "Paused.", "resumed": "Resumed.", "stopped": "The worker will stop.",
		"unchanged": "Nothing was changed: it was so already.",
	}[word]
}

// view returns the view of a request, without its data.
func (s *site) view(r *http.Request, title string) view {
	caller := access.Caller(r.Context())
	v := view{Title: title, Caller: caller, May: permissionsOf(caller.Scope), Done: done(r.URL.Query().Get("done"))}
	add := func(shown bool, name, href string, prefixes ...string) {
		if !shown {
			return
		}
		current := r.URL.Path == href
		for _, prefix := range prefixes {
			current = current || strings.HasPrefix(r.URL.Path, prefix)
		}
		v.Nav = append(v.Nav, link{name, href, current})
	}
	add(v.May.ListJobs, "Overview", "/", "/queue")
	add(v.May.ListJobs, "Jobs", "/jobs", "/jobs/")
	add(!v.May.ListJobs && v.May.Submit, "Submit", "/jobs/new", "/jobs")
	add(v.May.Workers, "Workers", "/workers", "/workers/")
	add(v.May.Audit, "Audit", "/audit")
	return v
}
