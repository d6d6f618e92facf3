package controlplane_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

const noSuchID = "018f4e8e-0000-7000-8000-000000000000"

// refused checks the code of an error and what its message says.
func refused(t *testing.T, doing string, err error, code connect.Code, says string) {
	t.Helper()
	coded, ok := errors.AsType[*connect.Error](err)
	if !ok || coded.Code() != code || !strings.Contains(coded.Message(), says) {
		t.Errorf("%s: %v, want %v and %q", doing, err, code, says)
		return
	}
	if len(coded.Message()) > 600 {
		t.Errorf("%s: the message has %d bytes", doing, len(coded.Message()))
	}
}

// Every procedure, over every protocol, with every token that is not the admin's.
func TestAdminTokenOfEveryProcedure(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	for _, d := range dialects {
		for name, value := range map[string]string{
			"none": "", "registration": "Bearer " + b.RegistrationToken(), "session": "Bearer " + w.token,
			"job": "Bearer " + job.text("token"), "admin, as agents show theirs": "Token " + b.AdminToken(),
			"unknown": "Bearer " + strings.Repeat("x", 40), "half": "Bearer " + b.AdminToken()[:8],
		} {
			options := append(slices.Clone(d.option), authorization(value))
			jobs := switchyardv1connect.NewJobServiceClient(b.client, b.URL(), options...)
			agents := switchyardv1connect.NewWorkerServiceClient(b.client, b.URL(), options...)
			for call, err := range map[string]error{
				"SubmitJob":    second(jobs.SubmitJob(t.Context(), &switchyardv1.SubmitJobRequest{})),
				"GetJob":       second(jobs.GetJob(t.Context(), &switchyardv1.GetJobRequest{})),
				"ListJobs":     second(jobs.ListJobs(t.Context(), &switchyardv1.ListJobsRequest{})),
				"CancelJob":    second(jobs.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{})),
				"FollowJob":    followError(jobs.FollowJob(t.Context(), &switchyardv1.FollowJobRequest{})),
				"ListWorkers":  second(agents.ListWorkers(t.Context(), &switchyardv1.ListWorkersRequest{})),
				"PauseWorker":  second(agents.PauseWorker(t.Context(), &switchyardv1.PauseWorkerRequest{})),
				"ResumeWorker": second(agents.ResumeWorker(t.Context(), &switchyardv1.ResumeWorkerRequest{})),
				"StopWorker":   second(agents.StopWorker(t.Context(), &switchyardv1.StopWorkerRequest{})),
			} {
				refused(t, call+" over "+d.name+" with token "+name, err, connect.CodeUnauthenticated, "admin token")
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

func followError(s *connect.ServerStreamForClient[switchyardv1.FollowJobResponse], err error) error {
	if err != nil {
		return err
	}
	defer s.Close()
	for s.Receive() { //nolint:revive // what it says is not asked
	}
	return s.Err()
}

func TestSubmitIsChecked(t *testing.T) {
	b := start(t)
	for _, row := range []struct {
		name string
		req  *switchyardv1.SubmitJobRequest
		says string // empty: it is accepted
	}{
		{"the least", &switchyardv1.SubmitJobRequest{Command: []string{"true"}}, ""},
		{"everything", &switchyardv1.SubmitJobRequest{
			Command: []string{"sh", "-c", "a b"}, Env: map[string]string{"A": "b", "EMPTY": ""}, Queue: "q.x-1_y/z:2",
			Priority: -5, Timeout: durationpb.New(time.Hour), IdempotencyKey: "k", Retries: 10,
		}, ""},
		{"no command", &switchyardv1.SubmitJobRequest{}, "command must name a program"},
		{"an empty program", &switchyardv1.SubmitJobRequest{Command: []string{"", "x"}}, "command must name a program"},
		{"an option for a program", &switchyardv1.SubmitJobRequest{Command: []string{"-x"}}, "command must begin with a program"},
		{"a NUL", &switchyardv1.SubmitJobRequest{Command: []string{"a", "b\x00"}}, "command contains a zero byte"},
		{"too much", &switchyardv1.SubmitJobRequest{Command: []string{strings.Repeat("x", 600<<10)}}, "524288"},
		{"a variable without a name", &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Env: map[string]string{"": "x"}}, "env has a variable"},
		{"a variable with a long bad name", &switchyardv1.SubmitJobRequest{
			Command: []string{"a"}, Env: map[string]string{strings.Repeat("=", 100<<10): "x"},
		}, "env has a variable"},
		{"a bad queue", &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Queue: "a b"}, "queue is"},
		{"a negative timeout", &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Timeout: durationpb.New(-1)}, "timeout must be from 0"},
		{"an endless timeout", &switchyardv1.SubmitJobRequest{
			Command: []string{"a"}, Timeout: &durationpb.Duration{Seconds: 1 << 60},
		}, "timeout must be from 0"},
		{"negative retries", &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Retries: -1}, "retries must be 0 to 10"},
		{"many retries", &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Retries: 11}, "retries must be 0 to 10"},
		{"a long key", &switchyardv1.SubmitJobRequest{
			Command: []string{"a"}, IdempotencyKey: strings.Repeat("k", 257),
		}, "idempotency_key must have at most 256 bytes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			res, err := b.jobs.SubmitJob(t.Context(), row.req)
			if row.says != "" {
				refused(t, "submitting", err, connect.CodeInvalidArgument, row.says)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			read, err := b.jobs.GetJob(t.Context(), &switchyardv1.GetJobRequest{Id: res.GetJob().GetId()})
			if err != nil {
				t.Fatal(err)
			}
			job := read.GetJob()
			if !slices.Equal(job.GetCommand(), row.req.GetCommand()) || len(job.GetEnv()) != len(row.req.GetEnv()) ||
				job.GetPriority() != row.req.GetPriority() || job.GetRetriesLeft() != row.req.GetRetries() ||
				job.GetTimeout().AsDuration() != row.req.GetTimeout().AsDuration() ||
				job.GetState() != switchyardv1.JobState_JOB_STATE_QUEUED || job.GetSubmittedAt() == nil ||
				job.GetStartedAt() != nil || job.GetWaitingReason() == "" {
				t.Errorf("the job reads %v", job)
			}
		})
	}
}

func TestSubmitIsIdempotent(t *testing.T) {
	b := start(t)
	req := &switchyardv1.SubmitJobRequest{Command: []string{"true"}, IdempotencyKey: "once"}
	first, err := b.jobs.SubmitJob(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.jobs.SubmitJob(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	if first.GetExisted() || !again.GetExisted() || first.GetJob().GetId() != again.GetJob().GetId() {
		t.Errorf("submitted %v, and then %v", first, again)
	}
}

func TestNamesOfNothing(t *testing.T) {
	b := start(t)
	ctx := t.Context()
	long := strings.Repeat("x", 300)
	for _, row := range []struct {
		id   string
		code connect.Code
		says string
	}{
		{"", connect.CodeInvalidArgument, "id must not be empty"},
		{long, connect.CodeInvalidArgument, "id must have at most 256 bytes, not 300"},
		{"nonsense", connect.CodeNotFound, `"nonsense"`},
		{noSuchID, connect.CodeNotFound, noSuchID},
		{"a.b.>", connect.CodeNotFound, "a.b.>"},
		{"../../etc/passwd", connect.CodeNotFound, "etc"},
	} {
		for call, err := range map[string]error{
			"GetJob":       second(b.jobs.GetJob(ctx, &switchyardv1.GetJobRequest{Id: row.id})),
			"CancelJob":    second(b.jobs.CancelJob(ctx, &switchyardv1.CancelJobRequest{Id: row.id})),
			"FollowJob":    followError(b.jobs.FollowJob(ctx, &switchyardv1.FollowJobRequest{Id: row.id})),
			"PauseWorker":  second(b.agents.PauseWorker(ctx, &switchyardv1.PauseWorkerRequest{Id: row.id, Reason: "x"})),
			"ResumeWorker": second(b.agents.ResumeWorker(ctx, &switchyardv1.ResumeWorkerRequest{Id: row.id})),
			"StopWorker":   second(b.agents.StopWorker(ctx, &switchyardv1.StopWorkerRequest{Id: row.id})),
		} {
			refused(t, fmt.Sprintf("%s of %.20q", call, row.id), err, row.code, row.says)
		}
	}
}

func TestListJobs(t *testing.T) {
	b := start(t)
	var ids []string // newest first, as they are listed
	for i := range 5 {
		ids = slices.Insert(ids, 0, b.submit([]string{"even", "odd"}[i%2], "true").GetId())
	}
	cancelled := ids[4]
	if _, err := b.jobs.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{Id: cancelled, Reason: "no need"}); err != nil {
		t.Fatal(err)
	}
	queuedState := []switchyardv1.JobState{switchyardv1.JobState_JOB_STATE_QUEUED}
	for _, row := range []struct {
		name string
		req  *switchyardv1.ListJobsRequest
		want []string
	}{
		{"all", &switchyardv1.ListJobsRequest{}, ids},
		{"by pages", &switchyardv1.ListJobsRequest{PageSize: 2}, ids},
		{"a queue", &switchyardv1.ListJobsRequest{Queue: "odd"}, []string{ids[1], ids[3]}},
		{"a queue by pages", &switchyardv1.ListJobsRequest{Queue: "even", PageSize: 1}, []string{ids[0], ids[2], ids[4]}},
		{"a state", &switchyardv1.ListJobsRequest{States: queuedState}, ids[:4]},
		{"a state twice", &switchyardv1.ListJobsRequest{States: append(queuedState, queuedState...)}, ids[:4]},
		{"another state", &switchyardv1.ListJobsRequest{States: []switchyardv1.JobState{switchyardv1.JobState_JOB_STATE_CANCELED}}, []string{cancelled}},
		{"an agent's", &switchyardv1.ListJobsRequest{WorkerId: noSuchID}, nil},
		{"no such queue", &switchyardv1.ListJobsRequest{Queue: "none"}, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got []string
			for pages := 0; ; pages++ {
				res, err := b.jobs.ListJobs(t.Context(), row.req)
				if err != nil {
					t.Fatal(err)
				}
				if size := int(row.req.GetPageSize()); size > 0 && len(res.GetJobs()) > size {
					t.Fatalf("a page of %d", len(res.GetJobs()))
				}
				for _, job := range res.GetJobs() {
					got = append(got, job.GetId())
				}
				if row.req.PageToken = res.GetNextPageToken(); row.req.GetPageToken() == "" {
					break
				}
				if pages > len(ids) {
					t.Fatal("the pages do not end")
				}
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("listed %v, want %v", got, row.want)
			}
		})
	}
}

func TestListsAreChecked(t *testing.T) {
	b := start(t)
	for name, row := range map[string]struct {
		size  int32
		token string
		state int32
		says  string
	}{
		"a negative page": {-1, "", 1, "page_size is -1"},
		"a huge page":     {1001, "", 1, "page_size is 1001, must be 1 to 1000"},
		"a made-up token": {0, "made up", 1, "page_token is not a token of a previous page"},
		"a huge token":    {0, strings.Repeat("x", 100<<10), 1, "page_token is not a token of a previous page"},
		"no state":        {0, "", 0, "states has unknown state"},
		"a new state":     {0, "", 99, "states has unknown state"},
	} {
		_, err := b.jobs.ListJobs(t.Context(), &switchyardv1.ListJobsRequest{
			PageSize: row.size, PageToken: row.token, States: []switchyardv1.JobState{switchyardv1.JobState(row.state)},
		})
		refused(t, "jobs, "+name, err, connect.CodeInvalidArgument, row.says)
		_, err = b.agents.ListWorkers(t.Context(), &switchyardv1.ListWorkersRequest{
			PageSize: row.size, PageToken: row.token, States: []switchyardv1.WorkerState{switchyardv1.WorkerState(row.state)},
		})
		refused(t, "agents, "+name, err, connect.CodeInvalidArgument, row.says)
	}
	_, err := b.jobs.ListJobs(t.Context(), &switchyardv1.ListJobsRequest{States: make([]switchyardv1.JobState, 1000)})
	refused(t, "a thousand states", err, connect.CodeInvalidArgument, "states must have")
	_, err = b.jobs.ListJobs(t.Context(), &switchyardv1.ListJobsRequest{WorkerId: strings.Repeat("x", 100<<10)})
	refused(t, "a long worker_id", err, connect.CodeInvalidArgument, "worker_id is")
}

func TestCancel(t *testing.T) {
	b := start(t)
	waiting := b.submit("nobody", "true")
	for range 2 { // the second time it is so already
		res, err := b.jobs.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{Id: waiting.GetId(), Reason: "no need"})
		if err != nil {
			t.Fatal(err)
		}
		if job := res.GetJob(); job.GetState() != switchyardv1.JobState_JOB_STATE_CANCELED || job.GetCancelReason() != "no need" {
			t.Errorf("the job is %v", job)
		}
	}
	finished := b.accepted(b.register("w", "q"), queued("q"))
	path := "/v3/jobs/" + finished.text("id")
	b.must(200, request{method: "PUT", path: path + "/start", token: finished.text("token")})
	b.must(200, request{method: "PUT", path: path + "/finish", token: finished.text("token"), body: `{"exit_status":"0"}`})
	_, err := b.jobs.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{Id: finished.text("id")})
	refused(t, "cancelling what is over", err, connect.CodeFailedPrecondition, "finished")
	_, err = b.jobs.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{Id: waiting.GetId(), Reason: strings.Repeat("x", 5000)})
	refused(t, "a long reason", err, connect.CodeInvalidArgument, "reason must have at most")
}

func TestAgentsByNameAndID(t *testing.T) {
	b := start(t)
	one, first := b.register("one", "q"), b.register("twin", "q")
	b.register("twin", "q2")
	ctx := t.Context()
	for _, ref := range []string{one.id, "one"} {
		paused, err := b.agents.PauseWorker(ctx, &switchyardv1.PauseWorkerRequest{Id: ref, Reason: "new disk"})
		if err != nil {
			t.Fatal(err)
		}
		if got := paused.GetWorker(); got.GetId() != one.id || !got.GetPaused() || got.GetPauseReason() != "new disk" {
			t.Errorf("paused by %q, the worker is %v", ref, got)
		}
		resumed, err := b.agents.ResumeWorker(ctx, &switchyardv1.ResumeWorkerRequest{Id: ref})
		if err != nil {
			t.Fatal(err)
		}
		if got := resumed.GetWorker(); got.GetPaused() || got.GetPauseReason() != "" {
			t.Errorf("resumed by %q, the worker is %v", ref, got)
		}
	}
	_, err := b.agents.PauseWorker(ctx, &switchyardv1.PauseWorkerRequest{Id: "twin", Reason: "x"})
	refused(t, "a name of two", err, connect.CodeInvalidArgument, "use the ID")
	_, err = b.agents.PauseWorker(ctx, &switchyardv1.PauseWorkerRequest{Id: "one"})
	refused(t, "a pause without a reason", err, connect.CodeInvalidArgument, "reason must say why")

	stopped, err := b.agents.StopWorker(ctx, &switchyardv1.StopWorkerRequest{Id: first.id, Reason: "old"})
	if err != nil || !stopped.GetWorker().GetStopping() {
		t.Errorf("stopping: %v, %v", stopped, err)
	}
	b.must(200, request{method: "POST", path: "/v3/disconnect", token: first.token})
	_, err = b.agents.PauseWorker(ctx, &switchyardv1.PauseWorkerRequest{Id: first.id, Reason: "x"})
	refused(t, "pausing who has left", err, connect.CodeFailedPrecondition, "has left")

	for _, row := range []struct {
		req  *switchyardv1.ListWorkersRequest
		want []string // names, newest first
	}{
		{&switchyardv1.ListWorkersRequest{}, []string{"twin", "one"}},
		{&switchyardv1.ListWorkersRequest{Queue: "q"}, []string{"one"}},
		{&switchyardv1.ListWorkersRequest{States: []switchyardv1.WorkerState{switchyardv1.WorkerState_WORKER_STATE_DISCONNECTED}}, []string{"twin"}},
	} {
		res, err := b.agents.ListWorkers(ctx, row.req)
		if err != nil {
			t.Fatal(err)
		}
		names := make([]string, 0, len(row.want))
		for _, agent := range res.GetWorkers() {
			names = append(names, agent.GetName())
		}
		if !slices.Equal(names, row.want) {
			t.Errorf("%v lists %v, want %v", row.req, names, row.want)
		}
	}
}

// A program without any library speaks it too.
func TestPlainHTTP(t *testing.T) {
	b := start(t)
	header := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + b.AdminToken()}}
	got := b.must(200, request{
		method: "POST", path: "/switchyard.v1.JobService/SubmitJob", header: header, body: `{"command":["echo","hi"]}`,
	})
	job, _ := got.body["job"].(map[string]any)
	if job["state"] != "JOB_STATE_QUEUED" || job["queue"] != "default" {
		t.Errorf("submitted: %s", got.raw)
	}
	got = b.must(400, request{method: "POST", path: "/switchyard.v1.JobService/SubmitJob", header: header, body: `{}`})
	if got.body["code"] != "invalid_argument" || got.text("message") != "command must name a program" {
		t.Errorf("refused: %s", got.raw)
	}
	got = b.must(200, request{
		method: "GET", path: "/switchyard.v1.JobService/ListJobs?encoding=json&message=%7B%7D", header: header,
	})
	if jobs, _ := got.body["jobs"].([]any); len(jobs) != 1 {
		t.Errorf("listed: %s", got.raw)
	}
}

// follow reads a follow to its end: the states it saw, in order, and the log.
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

// ran runs a job with a log of two pieces to its end, by hand.
func (b *bed) ran(w worker) string {
	b.t.Helper()
	job := b.accepted(w, queued("q"))
	path, token := "/v3/jobs/"+job.text("id"), job.text("token")
	b.must(200, request{method: "PUT", path: path + "/start", token: token})
	b.must(200, request{method: "POST", path: path + "/chunks?sequence=2&offset=6&size=6", token: token, header: chunkHeader(), body: gzipped(b.t, "world\n")})
	b.must(200, request{method: "POST", path: path + "/chunks?sequence=1&offset=0&size=6", token: token, header: chunkHeader(), body: gzipped(b.t, "hello\n")})
	b.must(200, request{method: "PUT", path: path + "/finish", token: token, body: `{"exit_status":"0"}`})
	return job.text("id")
}

func TestFollowWhatIsOver(t *testing.T) {
	b := start(t)
	id := b.ran(b.register("w", "q"))
	for _, d := range dialects {
		for _, row := range []struct {
			name string
			req  *switchyardv1.FollowJobRequest
			log  string
		}{
			{"whole", &switchyardv1.FollowJobRequest{Id: id}, "hello\nworld\n"},
			{"from an offset", &switchyardv1.FollowJobRequest{Id: id, LogOffset: 3}, "lo\nworld\n"},
			{"from the end", &switchyardv1.FollowJobRequest{Id: id, LogOffset: 12}, ""},
			{"states only", &switchyardv1.FollowJobRequest{Id: id, OmitLog: true}, ""},
			{"no waiting", &switchyardv1.FollowJobRequest{Id: id, NoWait: true}, "hello\nworld\n"},
		} {
			states, log, err := b.follow(t.Context(), row.req, d.option...)
			if err != nil || log != row.log || !slices.Equal(states, []switchyardv1.JobState{switchyardv1.JobState_JOB_STATE_FINISHED}) {
				t.Errorf("%s over %s: states %v, log %q, %v; want finished and %q", row.name, d.name, states, log, err, row.log)
			}
		}
	}
}

// A follower sees a job from its queue to its end, and then the stream ends.
func TestFollowWhatHappens(t *testing.T) {
	for _, l := range links {
		t.Run(l.name, func(t *testing.T) {
			b := startOver(t, l)
			job := b.submit("q", "true")
			ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
			defer cancel()
			s, err := b.jobs.FollowJob(ctx, &switchyardv1.FollowJobRequest{Id: job.GetId()})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if !s.Receive() || s.Msg().GetJob().GetState() != switchyardv1.JobState_JOB_STATE_QUEUED {
				t.Fatalf("it begins with %v, %v; want the job as it stands", s.Msg(), s.Err())
			}
			w := b.register("w", "q")
			b.pingUntil(w, func(a answer) bool { return a.body["job"] != nil })
			path := "/v3/jobs/" + job.GetId()
			token := b.must(200, request{method: "PUT", path: path + "/accept", token: w.token}).text("token")
			b.must(200, request{method: "PUT", path: path + "/start", token: token})
			b.must(200, request{method: "POST", path: path + "/chunks?sequence=1&offset=0&size=6", token: token, header: chunkHeader(), body: gzipped(t, "hello\n")})
			var log string
			for log == "" && s.Receive() { // the line comes while the job runs
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
				t.Errorf("it ends with %v, log %q, job %v", s.Err(), log, last)
			}
		})
	}
}

// A follower is told that the server leaves, so that it follows its successor.
func TestFollowEndsOnShutdown(t *testing.T) {
	for _, d := range dialects {
		t.Run(d.name, func(t *testing.T) {
			b := start(t)
			job := b.submit("nobody", "true")
			client := switchyardv1connect.NewJobServiceClient(b.client, b.URL(), append(slices.Clone(d.option), bearer(b.AdminToken()))...)
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
			for s.Receive() { //nolint:revive // what it says is not asked
			}
			refused(t, "following", s.Err(), connect.CodeUnavailable, "shutting down")
			if err := <-ended; err != nil {
				t.Errorf("shutting down: %v", err)
			}
		})
	}
}
