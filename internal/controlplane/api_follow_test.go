package controlplane_test

import (
	"context"
	"slices"
	"testing"

	"connectrpc.com/connect"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// follow reads a stream to its end and returns the states, in order, and the log.
func (b *bed) follow(ctx context.Context, req *switchyardv1.FollowJobRequest, options ...connect.ClientOption) (
	states []switchyardv1.JobState, log string, err error,
) {
	b.t.Helper()
	client := switchyardv1connect.NewJobServiceClient(b.client, b.URL(), append(options, bearer(b.AdminToken()))...)
	s, err := client.FollowJob(ctx, req)
	if err != nil {
		return nil, "", err
	}
	defer s.Close()
	for s.Receive() {
		switch event := s.Msg().GetEvent().(type) {
		case *switchyardv1.FollowJobResponse_Job:
			states = append(states, event.Job.GetState())
		case *switchyardv1.FollowJobResponse_Log:
			log += string(event.Log.GetData())
		}
	}
	return states, log, s.Err()
}

// runJob runs a job with a log of two chunks to its end and returns its ID.
func (b *bed) runJob(w worker) string {
	b.t.Helper()
	job := b.accepted(w, queued("q"))
	path, token := "/v3/jobs/"+job.text("id"), job.text("token")
	b.must(200, request{method: "PUT", path: path + "/start", token: token})
	b.must(200, request{method: "POST", path: path + "/chunks?sequence=2&offset=6&size=6", token: token, header: chunkHeader(), body: gzipped(b.t, "world\n")})
	b.must(200, request{method: "POST", path: path + "/chunks?sequence=1&offset=0&size=6", token: token, header: chunkHeader(), body: gzipped(b.t, "hello\n")})
	b.must(200, request{method: "PUT", path: path + "/finish", token: token, body: `{"exit_status":"0"}`})
	return job.text("id")
}

func TestFollowFinishedJob(t *testing.T) {
	b := start(t)
	id := b.runJob(b.register("w", "q"))
	for _, d := range rpcProtocols {
		for _, row := range []struct {
			name string
			req  *switchyardv1.FollowJobRequest
			log  string
		}{
			{"all", &switchyardv1.FollowJobRequest{Id: id}, "hello\nworld\n"},
			{"from an offset", &switchyardv1.FollowJobRequest{Id: id, LogOffset: 3}, "lo\nworld\n"},
			{"from the end", &switchyardv1.FollowJobRequest{Id: id, LogOffset: 12}, ""},
			{"states only", &switchyardv1.FollowJobRequest{Id: id, OmitLog: true}, ""},
			{"without waiting", &switchyardv1.FollowJobRequest{Id: id, NoWait: true}, "hello\nworld\n"},
		} {
			states, log, err := b.follow(t.Context(), row.req, d.options...)
			if err != nil || log != row.log || !slices.Equal(states, []switchyardv1.JobState{switchyardv1.JobState_JOB_STATE_FINISHED}) {
				t.Errorf("%s over %s: states %v, log %q, %v; want finished and %q", row.name, d.name, states, log, err, row.log)
			}
		}
	}
}

// A follower receives a job from its queue to its end, and then the stream ends.
func TestFollowRunningJob(t *testing.T) {
	for _, l := range links {
		t.Run(l.name, func(t *testing.T) {
			b := startOn(t, l)
			job := b.submit("q", "true")
			ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
			defer cancel()
			s, err := b.jobs.FollowJob(ctx, &switchyardv1.FollowJobRequest{Id: job.GetId()})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if !s.Receive() || s.Msg().GetJob().GetState() != switchyardv1.JobState_JOB_STATE_QUEUED {
				t.Fatalf("first message %v, %v; want the queued job", s.Msg(), s.Err())
			}
			w := b.register("w", "q")
			b.pingUntil(w, func(r response) bool { return r.body["job"] != nil })
			path := "/v3/jobs/" + job.GetId()
			token := b.must(200, request{method: "PUT", path: path + "/accept", token: w.token}).text("token")
			b.must(200, request{method: "PUT", path: path + "/start", token: token})
			b.must(200, request{method: "POST", path: path + "/chunks?sequence=1&offset=0&size=6", token: token, header: chunkHeader(), body: gzipped(t, "hello\n")})
			var log string
			for log == "" && s.Receive() { // the line arrives while the job runs
				log += string(s.Msg().GetLog().GetData())
			}
			b.must(200, request{method: "PUT", path: path + "/finish", token: token, body: `{"exit_status":"3"}`})
			var last *switchyardv1.Job
			for s.Receive() {
				if got := s.Msg().GetJob(); got != nil {
					last = got
				}
			}
			if s.Err() != nil || log != "hello\n" || last.GetExitStatus() != "3" ||
				last.GetState() != switchyardv1.JobState_JOB_STATE_FINISHED {
				t.Errorf("stream ended with %v, log %q, job %v", s.Err(), log, last)
			}
		})
	}
}

// At shutdown a follower receives Unavailable, so that it follows again.
func TestFollowEndsOnShutdown(t *testing.T) {
	for _, d := range rpcProtocols {
		t.Run(d.name, func(t *testing.T) {
			b := start(t)
			job := b.submit("nobody", "true")
			client := switchyardv1connect.NewJobServiceClient(b.client, b.URL(), append(slices.Clone(d.options), bearer(b.AdminToken()))...)
			ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
			defer cancel()
			s, err := client.FollowJob(ctx, &switchyardv1.FollowJobRequest{Id: job.GetId()})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if !s.Receive() {
				t.Fatal(s.Err())
			}
			ended := make(chan error, 1)
			go func() { ended <- b.Shutdown(ctx) }()
			for s.Receive() { //nolint:revive // the messages are not needed
			}
			expectError(t, "following", s.Err(), connect.CodeUnavailable, "shutting down")
			if err := <-ended; err != nil {
				t.Errorf("shutting down: %v", err)
			}
		})
	}
}
