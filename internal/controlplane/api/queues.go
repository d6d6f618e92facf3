package api

import (
	"context"
	"strings"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
)

// checkQueue returns an error if the caller's token is limited to other queues.
func checkQueue(ctx context.Context, queue string) error {
	if caller := access.Caller(ctx); !caller.MayUse(queue) {
		return codedError(connect.CodePermissionDenied, "token %q is for queue %s only, not for %s",
			caller.Name, strings.Join(caller.Queues, ", "), queue)
	}
	return nil
}

// findJob replaces the beginning of a job's ID, in a request, by the ID. To a caller whose
// token is limited to queues, only the jobs of these exist. verb is what the call
// does.
func (s service) findJob(ctx context.Context, verb string, id *string) error {
	if err := checkID(*id); err != nil {
		return err
	}
	found, err := s.dispatcher.FindJob(*id, access.Caller(ctx).Queues)
	if err != nil {
		return s.failed(operation{verb, "job", *id}, err)
	}
	*id = found
	return nil
}

// checkJobQueue is checkQueue for the queue of a job, which never changes. It reads
// the job only for a caller whose token is limited.
func (s service) checkJobQueue(ctx context.Context, op operation) error {
	if len(access.Caller(ctx).Queues) == 0 {
		return nil
	}
	job, err := s.dispatcher.Job(ctx, op.id)
	if err != nil {
		return s.failed(op, err)
	}
	return checkQueue(ctx, job.Queue)
}
