package worldtest

import (
	"context"
	"strconv"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// callTimeout bounds a request of the world's operator. A submission is tried
// submitTries times, with one idempotency key.
const (
	callTimeout = 5 * time.Second
	submitTries = 3
)

// authorized returns the option of a client that sends the admin token.
func authorized() connect.ClientOption {
	return connect.WithInterceptors(connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
			r.Header().Set("Authorization", "Bearer "+adminToken)
			return next(ctx, r)
		}
	}))
}

// call runs a request of the operator beside the steps of the world.
func (w *world) call(request func(ctx context.Context)) {
	w.calls.Go(func() {
		ctx, cancel := context.WithTimeout(w.ctx, callTimeout)
		defer cancel()
		request(ctx)
	})
}

// submit submits a job that takes a while and requires tags, and notes its ID once that is
// acknowledged.
func (w *world) submit(takes, exit string, timeout time.Duration, retries int32, tags ...string) {
	w.keys++
	request := &switchyardv1.SubmitJobRequest{
		Command: []string{"true"}, Env: map[string]string{"TAKES": takes, "EXIT": exit},
		Retries: retries, Tags: tags, IdempotencyKey: "key-" + strconv.Itoa(w.keys),
	}
	if timeout > 0 {
		request.Timeout = durationpb.New(timeout)
	}
	w.calls.Go(func() {
		first := ""
		for range submitTries {
			ctx, cancel := context.WithTimeout(w.ctx, callTimeout)
			response, err := w.jobs.SubmitJob(ctx, request)
			cancel()
			if err != nil {
				pause(w.ctx, time.Second)
				continue
			}
			id := response.GetJob().GetId()
			w.mu.Lock()
			w.submitted[id], w.required[id] = true, tags
			w.mu.Unlock()
			if first != "" { // the same submission again
				if id != first {
					w.failf("one key made the jobs %s and %s", first, id)
				}
				return
			}
			first = id
		}
	})
}

// cancel cancels one of the acknowledged jobs.
func (w *world) cancel(i int) {
	w.mu.Lock()
	ids := sorted(w.submitted)
	w.mu.Unlock()
	if len(ids) > 0 {
		id := ids[i%len(ids)]
		w.call(func(ctx context.Context) { _, _ = w.jobs.CancelJob(ctx, &switchyardv1.CancelJobRequest{Id: id}) })
	}
}

// control asks for a change of a worker.
func (w *world) control(what, id string) {
	w.call(func(ctx context.Context) {
		switch what {
		case "pause":
			_, _ = w.workers.PauseWorker(ctx, &switchyardv1.PauseWorkerRequest{Id: id, Reason: "drawn"})
		case "resume":
			_, _ = w.workers.ResumeWorker(ctx, &switchyardv1.ResumeWorkerRequest{Id: id})
		case "stop":
			_, _ = w.workers.StopWorker(ctx, &switchyardv1.StopWorkerRequest{Id: id, Reason: "drawn"})
		case "stop-force":
			_, _ = w.workers.StopWorker(ctx, &switchyardv1.StopWorkerRequest{Id: id, Force: true, Reason: "drawn"})
		case "revoke":
			w.noteRevoked(id, false) // it may be revoked though the answer is lost
			_, err := w.workers.RevokeWorker(ctx, &switchyardv1.RevokeWorkerRequest{Id: id, Reason: "drawn"})
			w.noteRevoked(id, err == nil)
		}
	})
}
