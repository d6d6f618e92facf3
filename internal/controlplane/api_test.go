package controlplane_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// expectError checks the code of an error and a part of its message.
func expectError(t *testing.T, call string, err error, code connect.Code, contains string) {
	t.Helper()
	coded, ok := errors.AsType[*connect.Error](err)
	if !ok || coded.Code() != code || !strings.Contains(coded.Message(), contains) {
		t.Errorf("%s: %v, want %v and %q", call, err, code, contains)
		return
	}
	if len(coded.Message()) > 600 {
		t.Errorf("%s: the message has %d bytes", call, len(coded.Message()))
	}
}

// errorOf returns the error of a call.
func errorOf[T any](_ T, err error) error { return err }

// followError returns the error with which a stream ended.
func followError(s *connect.ServerStreamForClient[switchyardv1.FollowJobResponse], err error) error {
	if err != nil {
		return err
	}
	defer s.Close()
	for s.Receive() { //nolint:revive // the messages are not needed
	}
	return s.Err()
}

// Every procedure, over every protocol, names what is wrong with a token.
func TestWrongTokenOfEveryProcedure(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	for _, d := range rpcProtocols {
		for name, value := range map[string]string{
			"none": "", "registration": "Bearer " + b.RegistrationToken(), "session": "Bearer " + w.token,
			"job": "Bearer " + job.text("token"), "admin, scheme of agents": "Token " + b.AdminToken(),
			"unknown": "Bearer " + strings.Repeat("x", 40), "truncated": "Bearer " + b.AdminToken()[:8],
		} {
			code := connect.CodeUnauthenticated
			if name == "registration" {
				code = connect.CodePermissionDenied
			}
			options := append(slices.Clone(d.options), authorization(value))
			jobs := switchyardv1connect.NewJobServiceClient(b.client, b.URL(), options...)
			workers := switchyardv1connect.NewWorkerServiceClient(b.client, b.URL(), options...)
			for call, err := range map[string]error{
				"SubmitJob":    errorOf(jobs.SubmitJob(t.Context(), &switchyardv1.SubmitJobRequest{})),
				"GetJob":       errorOf(jobs.GetJob(t.Context(), &switchyardv1.GetJobRequest{})),
				"ListJobs":     errorOf(jobs.ListJobs(t.Context(), &switchyardv1.ListJobsRequest{})),
				"CancelJob":    errorOf(jobs.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{})),
				"FollowJob":    followError(jobs.FollowJob(t.Context(), &switchyardv1.FollowJobRequest{})),
				"ListWorkers":  errorOf(workers.ListWorkers(t.Context(), &switchyardv1.ListWorkersRequest{})),
				"PauseWorker":  errorOf(workers.PauseWorker(t.Context(), &switchyardv1.PauseWorkerRequest{})),
				"ResumeWorker": errorOf(workers.ResumeWorker(t.Context(), &switchyardv1.ResumeWorkerRequest{})),
				"StopWorker":   errorOf(workers.StopWorker(t.Context(), &switchyardv1.StopWorkerRequest{})),
			} {
				expectError(t, call+" over "+d.name+" with token "+name, err, code, "token")
			}
		}
	}
}

func TestUnknownIDs(t *testing.T) {
	b := start(t)
	ctx := t.Context()
	long := strings.Repeat("x", 300)
	for _, row := range []struct {
		id       string
		code     connect.Code
		contains string
	}{
		{"", connect.CodeInvalidArgument, "id must not be empty"},
		{long, connect.CodeInvalidArgument, "id must have at most 256 bytes, not 300"},
		{"nonsense", connect.CodeNotFound, `"nonsense"`},
		{unknownID, connect.CodeNotFound, unknownID},
		{"a.b.>", connect.CodeNotFound, "a.b.>"},
		{"../../etc/passwd", connect.CodeNotFound, "etc"},
	} {
		for call, err := range map[string]error{
			"GetJob":       errorOf(b.jobs.GetJob(ctx, &switchyardv1.GetJobRequest{Id: row.id})),
			"CancelJob":    errorOf(b.jobs.CancelJob(ctx, &switchyardv1.CancelJobRequest{Id: row.id})),
			"FollowJob":    followError(b.jobs.FollowJob(ctx, &switchyardv1.FollowJobRequest{Id: row.id})),
			"PauseWorker":  errorOf(b.workers.PauseWorker(ctx, &switchyardv1.PauseWorkerRequest{Id: row.id, Reason: "x"})),
			"ResumeWorker": errorOf(b.workers.ResumeWorker(ctx, &switchyardv1.ResumeWorkerRequest{Id: row.id})),
			"StopWorker":   errorOf(b.workers.StopWorker(ctx, &switchyardv1.StopWorkerRequest{Id: row.id})),
		} {
			expectError(t, fmt.Sprintf("%s of %.20q", call, row.id), err, row.code, row.contains)
		}
	}
}

// The API can be called with HTTP and JSON alone.
func TestPlainHTTP(t *testing.T) {
	b := start(t)
	header := http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + b.AdminToken()}}
	got := b.must(200, request{
		method: "POST", path: "/switchyard.v1.JobService/SubmitJob", header: header, body: `{"command":["echo","hi"]}`,
	})
	job, _ := got.body["job"].(map[string]any)
	if job["state"] != "JOB_STATE_QUEUED" || job["queue"] != "default" {
		t.Errorf("submit returned %s", got.raw)
	}
	got = b.must(400, request{method: "POST", path: "/switchyard.v1.JobService/SubmitJob", header: header, body: `{}`})
	if got.body["code"] != "invalid_argument" || got.text("message") != "command must name a program" {
		t.Errorf("error %s", got.raw)
	}
	got = b.must(200, request{
		method: "GET", path: "/switchyard.v1.JobService/ListJobs?encoding=json&message=%7B%7D", header: header,
	})
	if jobs, _ := got.body["jobs"].([]any); len(jobs) != 1 {
		t.Errorf("list returned %s", got.raw)
	}
}
