package present

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

func TestJSON(t *testing.T) {
	t.Parallel()
	at := timestamppb.New(time.Date(2026, 11, 24, 12, 0, 0, 5e6, time.FixedZone("", 3600)))
	tests := []struct {
		name    string
		message proto.Message
		parts   []string // of the line, in this order
	}{
		{
			name: "a job that failed",
			message: &switchyardv1.Job{
				Id: "1", Command: []string{"sh", "-c", "a && b <\x01\"é"}, Env: map[string]string{"B": "2", "A": "1"},
				Timeout: durationpb.New(90 * time.Second), State: switchyardv1.JobState_JOB_STATE_FINISHED, ExitStatus: "7",
				SubmittedAt: at, LogSize: 1 << 60, Outcome: switchyardv1.JobOutcome_JOB_OUTCOME_TIMED_OUT,
				Limits: &switchyardv1.Limits{Memory: 1 << 30, Cpus: 1.5},
			},
			parts: []string{
				`{"id":"1","command":["sh","-c","a && b <\u0001\"é"],"env":{"A":"1","B":"2"},"queue":"","priority":0,"timeout":"90s",`,
				`"state":"finished",`, `"exitStatus":7,`, `"cancelRequested":false,"submittedAt":"2026-11-24T11:00:00.005Z",`,
				`"logSize":1152921504606846976,`, `"outcome":"timed-out",`, `"history":[],`, `"limits":{"memory":1073741824,"cpus":1.5,"pids":0}`,
			},
		},
		{"a job that has not ended", &switchyardv1.Job{State: switchyardv1.JobState_JOB_STATE_QUEUED}, []string{`"exitStatus":null`, `"outcome":""`}},
		{"an exit status in another form", &switchyardv1.JobResult{ExitStatus: "0x7"}, []string{`{"exitStatus":"0x7",`}},
		{"a state of a later version", &switchyardv1.JobEvent{To: 99}, []string{`"from":"","to":"99"`}},
		{"a worker", &switchyardv1.Worker{State: switchyardv1.WorkerState_WORKER_STATE_LOST}, []string{`"tags":[],"state":"lost"`}},
		{"a token", &switchyardv1.Token{Scope: switchyardv1.TokenScope_TOKEN_SCOPE_REGISTER}, []string{`"scope":"register"`}},
		{
			"a chunk of a log",
			&switchyardv1.FollowJobResponse{Event: &switchyardv1.FollowJobResponse_Log{Log: &switchyardv1.LogChunk{
				Offset: 3, Data: []byte("hi\xff"), Gap: switchyardv1.LogGap_LOG_GAP_NOT_ARRIVED,
			}}},
			[]string{`{"log":{"offset":3,"data":"aGn/","missing":0,"gap":"not-arrived"}}`},
		},
		{
			"a submission",
			&switchyardv1.SubmitJobResponse{Job: &switchyardv1.Job{Id: "01B"}},
			[]string{`{"job":{"id":"01B",`, `"state":""`, `,"existed":false}`},
		},
		{"nothing", &switchyardv1.FollowJobResponse{}, []string{`{}`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			if err := JSON(&b, tt.message); err != nil {
				t.Fatal(err)
			}
			line, rest := b.String(), b.String()
			if !json.Valid([]byte(line)) || strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "}\n") {
				t.Errorf("%s is not one line of JSON", line)
			}
			for _, part := range tt.parts {
				_, after, found := strings.Cut(rest, part)
				if !found {
					t.Fatalf("%s\nlacks %s", line, part)
				}
				rest = after
			}
		})
	}
}

// TestJSONWords shows that each state and outcome is written as the flags take it.
func TestJSONWords(t *testing.T) {
	t.Parallel()
	for number := range switchyardv1.JobState_name {
		state := switchyardv1.JobState(number)
		if word := enumWord(state.Descriptor(), state.Number()); word != "" {
			if parsed, err := ParseJobState(word); parsed != state || err != nil {
				t.Errorf("%s is parsed as %v, %v", word, parsed, err)
			}
		}
	}
	for number := range switchyardv1.JobOutcome_name {
		outcome := switchyardv1.JobOutcome(number)
		if word := enumWord(outcome.Descriptor(), outcome.Number()); word != "" {
			if parsed, err := ParseJobOutcome(word); parsed != outcome || err != nil {
				t.Errorf("%s is parsed as %v, %v", word, parsed, err)
			}
		}
	}
}
