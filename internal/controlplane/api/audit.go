package api

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/audit"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// audited is an interceptor that records every call that succeeded and may have
// changed something: each whose descriptor does not say that it has no side effects.
// A call that is new is recorded without a line here.
type audited struct{ log *audit.Log }

// WrapUnary implements connect.Interceptor.
func (a audited) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		response, err := next(ctx, req)
		if err == nil {
			a.record(ctx, req.Spec(), req.Any(), response.Any())
		}
		return response, err
	}
}

// record records a call that succeeded, if it may have changed something.
func (a audited) record(ctx context.Context, spec connect.Spec, request, response any) {
	if jobs, ok := request.(*switchyardv1.SubmitJobsRequest); ok {
		a.log.AddAll(ctx, submissions(ctx, jobs, response))
		return
	}
	event, changed := eventOf(spec, request, response)
	switch {
	case !changed:
	case event.Action == audit.SubmitJob:
		a.log.Add(event.by(ctx))
	default:
		a.log.Record(ctx, event.by(ctx))
	}
}

// WrapStreamingHandler implements connect.Interceptor. It records a stream that may
// have changed something before it begins.
func (a audited) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		if conn.Spec().Procedure != switchyardv1connect.JobServiceFollowJobProcedure {
			event, _ := eventOf(conn.Spec(), nil, nil)
			a.log.Record(ctx, event.by(ctx))
		}
		return next(ctx, conn)
	}
}

// WrapStreamingClient implements connect.Interceptor. A server does not use it.
func (audited) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// event is an audit event whose caller is in the context of the call.
type event audit.Event

func (e event) by(ctx context.Context) audit.Event {
	caller := access.Caller(ctx)
	e.Actor, e.ActorID, e.Address = caller.Name, caller.TokenID, caller.Address
	return audit.Event(e)
}

// eventOf returns the event of a call, and reports whether there is one: not of a call
// that had no effect.
func eventOf(spec connect.Spec, request, response any) (e event, changed bool) {
	e = event{Action: path.Base(spec.Procedure), Target: targetOf(request, response), Detail: detailOf(request, response)}
	if r, ok := response.(interface{ GetUnchanged() bool }); ok && r.GetUnchanged() {
		return e, false
	}
	switch request := request.(type) {
	case *switchyardv1.GetJobRequest:
		e.Action = "ShowSecrets"
		return e, request.GetShowSecrets()
	case *switchyardv1.DeleteJobRequest:
		if request.GetLogOnly() {
			e.Action = "DeleteLog"
		}
		return e, true
	case *switchyardv1.SubmitJobRequest:
		submitted, ok := response.(*switchyardv1.SubmitJobResponse)
		return e, ok && !submitted.GetExisted()
	}
	return e, spec.IdempotencyLevel != connect.IdempotencyNoSideEffects
}

// submissions returns an event for each job that a call stored, as SubmitJob has it.
func submissions(ctx context.Context, request *switchyardv1.SubmitJobsRequest, response any) (events []audit.Event) {
	submitted, _ := response.(*switchyardv1.SubmitJobsResponse)
	for i, result := range submitted.GetResults() {
		if result.GetJobId() == "" || result.GetExisted() {
			continue
		}
		e := event{
			Action: audit.SubmitJob, Target: audit.Target{Kind: "job", ID: result.GetJobId()},
			Detail: "queue " + cmp.Or(request.GetJobs()[i].GetQueue(), wire.DefaultQueue),
		}
		events = append(events, e.by(ctx))
	}
	return events
}

// targetOf returns what a call changed: by its response or, without one that names
// it, by its request.
func targetOf(request, response any) audit.Target {
	if r, ok := response.(interface{ GetJob() *switchyardv1.Job }); ok {
		return audit.Target{Kind: "job", ID: r.GetJob().GetId()}
	}
	if r, ok := response.(interface{ GetWorker() *switchyardv1.Worker }); ok {
		return audit.Target{Kind: "worker", ID: r.GetWorker().GetId(), Name: r.GetWorker().GetName()}
	}
	if r, ok := response.(interface{ GetToken() *switchyardv1.Token }); ok {
		return audit.Target{Kind: "token", ID: r.GetToken().GetId(), Name: r.GetToken().GetName()}
	}
	if r, ok := response.(interface{ GetQueue() *switchyardv1.Queue }); ok {
		return audit.Target{Kind: queueNoun, Name: r.GetQueue().GetName()}
	}
	if r, ok := request.(*switchyardv1.DeleteJobRequest); ok {
		return audit.Target{Kind: "job", ID: r.GetId()}
	}
	if r, ok := request.(interface{ GetId() string }); ok {
		return audit.Target{ID: r.GetId()}
	}
	return audit.Target{}
}

// detailOf returns the reason of a caller, and what a call did beside its name.
func detailOf(request, response any) string {
	var details []string
	if r, ok := request.(interface{ GetForce() bool }); ok && r.GetForce() {
		details = append(details, "force")
	}
	if r, ok := request.(*switchyardv1.RerunJobRequest); ok {
		details = append(details, "as job "+r.GetId())
	}
	switch r := response.(type) {
	case *switchyardv1.SubmitJobResponse:
		details = append(details, "queue "+r.GetJob().GetQueue())
	case *switchyardv1.RerunJobResponse:
		details = append(details, "queue "+r.GetJob().GetQueue())
	case *switchyardv1.CreateTokenResponse:
		scope := "scope " + string(tokenScope(r.GetToken().GetScope()))
		if queues := r.GetToken().GetQueues(); len(queues) > 0 {
			scope += ", queues " + strings.Join(queues, " ")
		}
		details = append(details, scope)
	case *switchyardv1.DeleteJobResponse:
		details = append(details, fmt.Sprintf("log of %d bytes", r.GetLogBytes()))
	case *switchyardv1.RevokeTokenResponse:
		details = append(details, fmt.Sprintf("workers revoked: %d", r.GetRevokedWorkers()))
	}
	if r, ok := request.(interface{ GetReason() string }); ok {
		details = append(details, cmp.Or(r.GetReason(), "no reason stated"))
	}
	return strings.Join(details, "; ")
}

// auditService implements switchyardv1connect.AuditServiceHandler.
type auditService struct {
	service

	stored audit.Reader
}

// ListAuditEvents returns a page of the audit log.
func (s *auditService) ListAuditEvents(ctx context.Context, req *switchyardv1.ListAuditEventsRequest) (
	*switchyardv1.ListAuditEventsResponse, error,
) {
	var since time.Time
	if req.GetSince() != nil {
		since = req.GetSince().AsTime()
	}
	if _, err := pageOf(req); err != nil {
		return nil, err
	}
	list := audit.List
	if req.GetOrder() == switchyardv1.ListOrder_LIST_ORDER_NEWEST_FIRST {
		list = audit.ListNewest
	}
	events, next, err := list(ctx, s.stored, since, int(req.GetPageSize()), req.GetPageToken())
	if err != nil {
		return nil, s.failed(operation{verb: listing, noun: "audit events"}, err)
	}
	response := &switchyardv1.ListAuditEventsResponse{NextPageToken: next}
	for _, e := range events {
		response.Events = append(response.Events, &switchyardv1.AuditEvent{
			At: timestamp(e.At), Action: e.Action, Actor: e.Actor, ActorId: e.ActorID, Address: e.Address,
			TargetKind: e.Target.Kind, TargetId: e.Target.ID, TargetName: e.Target.Name, Detail: e.Detail,
		})
	}
	return response, nil
}
