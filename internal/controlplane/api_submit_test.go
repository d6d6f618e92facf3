package controlplane_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

func TestSubmitValidation(t *testing.T) {
	b := start(t)
	for _, row := range []struct {
		name     string
		req      *switchyardv1.SubmitJobRequest
		contains string // of the error; empty: accepted
	}{
		{"only a command", &switchyardv1.SubmitJobRequest{Command: []string{"true"}}, ""},
		{"every field", &switchyardv1.SubmitJobRequest{
			Command: []string{"sh", "-c", "a b"}, Env: map[string]string{"A": "b", "EMPTY": ""}, Queue: "q.x-1_y/z:2",
			Priority: -5, Timeout: durationpb.New(time.Hour), Limits: &switchyardv1.Limits{Memory: 1 << 50, Cpus: 0.01, Pids: math.MaxInt32}, IdempotencyKey: "k", Retries: 10,
		}, ""},
		{"no command", &switchyardv1.SubmitJobRequest{}, "command must name a program"},
		{"an empty program", &switchyardv1.SubmitJobRequest{Command: []string{"", "x"}}, "command must name a program"},
		{"an option as the program", &switchyardv1.SubmitJobRequest{Command: []string{"-x"}}, "command must begin with a program"},
		{"a NUL", &switchyardv1.SubmitJobRequest{Command: []string{"a", "b\x00"}}, "command contains a zero byte"},
		{"too large", &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Env: map[string]string{
			"A": strings.Repeat("x", 120<<10), "B": strings.Repeat("x", 120<<10), "C": strings.Repeat("x", 120<<10),
			"D": strings.Repeat("x", 120<<10), "E": strings.Repeat("x", 120<<10),
		}}, "524288"},
		{"the longest argument", &switchyardv1.SubmitJobRequest{Command: []string{"a", strings.Repeat("x", 128<<10-26)}}, ""},
		{"a longer argument", &switchyardv1.SubmitJobRequest{Command: []string{"a", strings.Repeat("x", 128<<10-25)}}, "can be passed to a process on Linux"},
		{"an argument that is longer as a line of shell", &switchyardv1.SubmitJobRequest{
			Command: []string{"a", strings.Repeat("'", 40<<10)},
		}, "can be passed to a process on Linux"},
		{"the longest variable", &switchyardv1.SubmitJobRequest{
			Command: []string{"a"}, Env: map[string]string{"A": strings.Repeat("x", 128<<10-3)},
		}, ""},
		{"a longer variable", &switchyardv1.SubmitJobRequest{
			Command: []string{"a"}, Env: map[string]string{"A": strings.Repeat("x", 128<<10-2)},
		}, `env has "A" with 131072 bytes`},
		{"a variable without a name", &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Env: map[string]string{"": "x"}}, "env has a variable"},
		{"a variable with a long bad name", &switchyardv1.SubmitJobRequest{
			Command: []string{"a"}, Env: map[string]string{strings.Repeat("=", 100<<10): "x"},
		}, "env has a variable"},
		{"a bad queue", &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Queue: "a b"}, "queue is"},
		{"a negative timeout", &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Timeout: durationpb.New(-1)}, "timeout must be from 0"},
		{"a timeout that overflows", &switchyardv1.SubmitJobRequest{
			Command: []string{"a"}, Timeout: &durationpb.Duration{Seconds: 1 << 60},
		}, "timeout must be from 0"},
		{"too little memory", &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Limits: &switchyardv1.Limits{Memory: 1}}, "limits are not possible: memory is 1 bytes"},
		{"too much memory", &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Limits: &switchyardv1.Limits{Memory: 1 << 63}}, "limits must have a memory of at most"},
		{"no number of processors", &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Limits: &switchyardv1.Limits{Cpus: math.NaN()}}, "limits are not possible: cpus is NaN"},
		{"negative processes", &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Limits: &switchyardv1.Limits{Pids: -1}}, "limits are not possible: pids is -1"},
		{"negative retries", &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Retries: -1}, "retries must be 0 to 10"},
		{"many retries", &switchyardv1.SubmitJobRequest{Command: []string{"a"}, Retries: 11}, "retries must be 0 to 10"},
		{"a long key", &switchyardv1.SubmitJobRequest{
			Command: []string{"a"}, IdempotencyKey: strings.Repeat("k", 257),
		}, "idempotency_key must have at most 256 bytes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			res, err := b.jobs.SubmitJob(t.Context(), row.req)
			if row.contains != "" {
				expectError(t, "submitting", err, connect.CodeInvalidArgument, row.contains)
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
				job.GetTimeout().AsDuration() != row.req.GetTimeout().AsDuration() || !proto.Equal(job.GetLimits(), row.req.GetLimits()) ||
				job.GetState() != switchyardv1.JobState_JOB_STATE_QUEUED || job.GetSubmittedAt() == nil ||
				job.GetStartedAt() != nil || job.GetWaitingReason() == "" {
				t.Errorf("stored job %v", job)
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
		t.Errorf("first response %v, second %v", first, again)
	}
}

func TestCancel(t *testing.T) {
	b := start(t)
	waiting := b.submit("nobody", "true")
	for range 2 { // the second time it is canceled already
		res, err := b.jobs.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{Id: waiting.GetId(), Reason: "no need"})
		if err != nil {
			t.Fatal(err)
		}
		if job := res.GetJob(); job.GetState() != switchyardv1.JobState_JOB_STATE_CANCELED || job.GetCancelReason() != "no need" {
			t.Errorf("job %v", job)
		}
	}
	finished := b.accepted(b.register("w", "q"), queued("q"))
	path := "/v3/jobs/" + finished.text("id")
	b.must(200, request{method: "PUT", path: path + "/start", token: finished.text("token")})
	b.must(200, request{method: "PUT", path: path + "/finish", token: finished.text("token"), body: `{"exit_status":"0"}`})
	_, err := b.jobs.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{Id: finished.text("id")})
	expectError(t, "canceling a finished job", err, connect.CodeFailedPrecondition, "finished")
	_, err = b.jobs.CancelJob(t.Context(), &switchyardv1.CancelJobRequest{Id: waiting.GetId(), Reason: strings.Repeat("x", 5000)})
	expectError(t, "a long reason", err, connect.CodeInvalidArgument, "reason must have at most")
}
