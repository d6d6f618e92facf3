package api

import (
	"cmp"
	"context"
	"iter"
	"path"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// Local makes calls of switchyard.v1 in this process, for the web page. A call has the
// rule, the bound, the checks, the errors and the audit event that it has over the
// network; its caller is in the context, see access.WithPrincipal. The methods may be
// called concurrently, and return a *connect.Error.
type Local struct {
	jobs    *jobService
	workers *workerService
	queues  *queueService
	audit   *auditService
	audited audited
}

// NewLocal returns calls of the services that Handlers serves. Of the options it uses
// Store, Audit and Logger, so the workers are without the names of their tokens.
func NewLocal(dispatcher *dispatch.Dispatcher, options Options) *Local {
	base := service{dispatcher: dispatcher, logger: options.Logger}
	return &Local{
		jobs: &jobService{base}, workers: &workerService{base, func(string) string { return "" }}, queues: &queueService{base},
		audit: &auditService{base, options.Store}, audited: audited{options.Audit},
	}
}

// Allows reports whether a token of the scope may make the call.
func Allows(scope access.Scope, procedure string) bool { return rules[procedure].allows(scope) }

// call makes a call as its handler would.
func call[Q, R proto.Message](
	ctx context.Context, l *Local, procedure string, method func(context.Context, Q) (R, error), req Q,
) (R, error) {
	var none R
	if err := permit(ctx, procedure, req); err != nil {
		return none, err
	}
	response, err := method(store.Within(ctx, store.UserTimeout), req)
	if err != nil {
		return none, err
	}
	l.audited.record(ctx, connect.Spec{Procedure: procedure, IdempotencyLevel: idempotencyOf(procedure)}, req, response)
	return response, nil
}

// permit returns an error if the caller may not make the call, or if it is too large.
func permit(ctx context.Context, procedure string, req proto.Message) error {
	caller := access.Caller(ctx)
	if !Allows(caller.Scope, procedure) {
		return codedError(connect.CodePermissionDenied, "token %q has the scope %s, which does not allow %s",
			caller.Name, caller.Scope, path.Base(procedure))
	}
	if size := proto.Size(req); size > rules[procedure].maxBytes {
		return codedError(connect.CodeResourceExhausted, "the request has %d bytes, want at most %d", size, rules[procedure].maxBytes)
	}
	return nil
}

// idempotencyOf returns what the descriptor of a call says of its side effects.
func idempotencyOf(procedure string) connect.IdempotencyLevel {
	name := protoreflect.FullName(strings.ReplaceAll(strings.TrimPrefix(procedure, "/"), "/", "."))
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		return connect.IdempotencyUnknown
	}
	if options, ok := found.Options().(*descriptorpb.MethodOptions); ok &&
		options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS {
		return connect.IdempotencyNoSideEffects
	}
	return connect.IdempotencyUnknown
}

// SubmitJob is JobService.SubmitJob.
func (l *Local) SubmitJob(ctx context.Context, req *switchyardv1.SubmitJobRequest) (*switchyardv1.SubmitJobResponse, error) {
	return call(ctx, l, switchyardv1connect.JobServiceSubmitJobProcedure, l.jobs.SubmitJob, req)
}

// RerunJob is JobService.RerunJob.
func (l *Local) RerunJob(ctx context.Context, req *switchyardv1.RerunJobRequest) (*switchyardv1.RerunJobResponse, error) {
	return call(ctx, l, switchyardv1connect.JobServiceRerunJobProcedure, l.jobs.RerunJob, req)
}

// CancelJob is JobService.CancelJob.
func (l *Local) CancelJob(ctx context.Context, req *switchyardv1.CancelJobRequest) (*switchyardv1.CancelJobResponse, error) {
	return call(ctx, l, switchyardv1connect.JobServiceCancelJobProcedure, l.jobs.CancelJob, req)
}

// GetJob is JobService.GetJob.
func (l *Local) GetJob(ctx context.Context, req *switchyardv1.GetJobRequest) (*switchyardv1.GetJobResponse, error) {
	return call(ctx, l, switchyardv1connect.JobServiceGetJobProcedure, l.jobs.GetJob, req)
}

// ListJobs is JobService.ListJobs.
func (l *Local) ListJobs(ctx context.Context, req *switchyardv1.ListJobsRequest) (*switchyardv1.ListJobsResponse, error) {
	return call(ctx, l, switchyardv1connect.JobServiceListJobsProcedure, l.jobs.ListJobs, req)
}

// FollowJob is JobService.FollowJob. An error is the last item.
func (l *Local) FollowJob(ctx context.Context, req *switchyardv1.FollowJobRequest) iter.Seq2[*switchyardv1.FollowJobResponse, error] {
	if err := permit(ctx, switchyardv1connect.JobServiceFollowJobProcedure, req); err != nil {
		return func(yield func(*switchyardv1.FollowJobResponse, error) bool) { yield(nil, err) }
	}
	return l.jobs.follow(ctx, req)
}

// ReadLog returns what is stored of a job's log, from an offset on, as FollowJob with
// no_wait does, but it reads nothing before the offset. Its rule is that of FollowJob. An error is the
// last item.
func (l *Local) ReadLog(ctx context.Context, id string, from uint64) iter.Seq2[wire.Chunk, error] {
	return func(yield func(wire.Chunk, error) bool) {
		op := operation{"reading the log of", "job", id}
		err := permit(ctx, switchyardv1connect.JobServiceFollowJobProcedure, &switchyardv1.FollowJobRequest{Id: id})
		err = cmp.Or(err, checkID(id))
		var job record.Job
		if err == nil {
			if job, err = l.jobs.dispatcher.Job(ctx, id); err != nil {
				err = l.jobs.failed(op, err)
			} else {
				err = checkQueue(ctx, job.Queue)
			}
		}
		if err != nil {
			yield(wire.Chunk{}, err)
			return
		}
		if job.Log.Deletion != nil {
			return
		}
		for chunk, err := range l.jobs.dispatcher.ReadLog(ctx, id, from) {
			if err != nil {
				yield(wire.Chunk{}, l.jobs.failed(op, err))
				return
			}
			if !yield(chunk, nil) {
				return
			}
		}
	}
}

// ListWorkers is WorkerService.ListWorkers.
func (l *Local) ListWorkers(ctx context.Context, req *switchyardv1.ListWorkersRequest) (*switchyardv1.ListWorkersResponse, error) {
	return call(ctx, l, switchyardv1connect.WorkerServiceListWorkersProcedure, l.workers.ListWorkers, req)
}

// GetWorker is WorkerService.GetWorker.
func (l *Local) GetWorker(ctx context.Context, req *switchyardv1.GetWorkerRequest) (*switchyardv1.GetWorkerResponse, error) {
	return call(ctx, l, switchyardv1connect.WorkerServiceGetWorkerProcedure, l.workers.GetWorker, req)
}

// PauseWorker is WorkerService.PauseWorker.
func (l *Local) PauseWorker(ctx context.Context, req *switchyardv1.PauseWorkerRequest) (*switchyardv1.PauseWorkerResponse, error) {
	return call(ctx, l, switchyardv1connect.WorkerServicePauseWorkerProcedure, l.workers.PauseWorker, req)
}

// ResumeWorker is WorkerService.ResumeWorker.
func (l *Local) ResumeWorker(ctx context.Context, req *switchyardv1.ResumeWorkerRequest) (*switchyardv1.ResumeWorkerResponse, error) {
	return call(ctx, l, switchyardv1connect.WorkerServiceResumeWorkerProcedure, l.workers.ResumeWorker, req)
}

// StopWorker is WorkerService.StopWorker.
func (l *Local) StopWorker(ctx context.Context, req *switchyardv1.StopWorkerRequest) (*switchyardv1.StopWorkerResponse, error) {
	return call(ctx, l, switchyardv1connect.WorkerServiceStopWorkerProcedure, l.workers.StopWorker, req)
}

// ListQueues is QueueService.ListQueues.
func (l *Local) ListQueues(ctx context.Context, req *switchyardv1.ListQueuesRequest) (*switchyardv1.ListQueuesResponse, error) {
	return call(ctx, l, switchyardv1connect.QueueServiceListQueuesProcedure, l.queues.ListQueues, req)
}

// GetQueue is QueueService.GetQueue.
func (l *Local) GetQueue(ctx context.Context, req *switchyardv1.GetQueueRequest) (*switchyardv1.GetQueueResponse, error) {
	return call(ctx, l, switchyardv1connect.QueueServiceGetQueueProcedure, l.queues.GetQueue, req)
}

// PauseQueue is QueueService.PauseQueue.
func (l *Local) PauseQueue(ctx context.Context, req *switchyardv1.PauseQueueRequest) (*switchyardv1.PauseQueueResponse, error) {
	return call(ctx, l, switchyardv1connect.QueueServicePauseQueueProcedure, l.queues.PauseQueue, req)
}

// ResumeQueue is QueueService.ResumeQueue.
func (l *Local) ResumeQueue(ctx context.Context, req *switchyardv1.ResumeQueueRequest) (*switchyardv1.ResumeQueueResponse, error) {
	return call(ctx, l, switchyardv1connect.QueueServiceResumeQueueProcedure, l.queues.ResumeQueue, req)
}

// ListAuditEvents is AuditService.ListAuditEvents.
func (l *Local) ListAuditEvents(ctx context.Context, req *switchyardv1.ListAuditEventsRequest) (
	*switchyardv1.ListAuditEventsResponse, error,
) {
	return call(ctx, l, switchyardv1connect.AuditServiceListAuditEventsProcedure, l.audit.ListAuditEvents, req)
}
