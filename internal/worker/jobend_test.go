package worker

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestLogEnd checks the line about a job that has ended.
func TestLogEnd(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ended := wire.FormatTime(begin.Add(1500 * time.Millisecond))
	for _, tt := range []struct {
		name, command string
		result        wire.FinishRequest
		err           error
		want          string
	}{
		{
			"succeeded", "exec make test",
			wire.FinishRequest{ExitStatus: "0", FinishedAt: ended, Usage: wire.Usage{WallMicros: 1, CPUMicros: 2_000_000, PeakMemory: 7}},
			nil,
			`info {"command":"exec make test","cpu":2000000000,"duration":1500000000,"exit_status":"0","job_id":"j","log_bytes":9,"peak_memory_bytes":7}`,
		},
		{
			"killed", "git clone https://ann:s3cretpw@example.com/r.git\nmore",
			wire.FinishRequest{ExitStatus: "-1", Signal: "SIGKILL", FinishedAt: ended, Usage: wire.Usage{PeakMemory: 7, MemoryLimit: 8}},
			nil,
			`info {"command":"git clone https://[REDACTED]@example.com/r.git…","cpu":0,"duration":1500000000,"job_id":"j","log_bytes":9,` +
				`"memory_limit_exceeded_bytes":8,"peak_memory_bytes":7,"signal":"SIGKILL"}`,
		},
		{
			"never ran", strings.Repeat("ü", 60),
			wire.FinishRequest{ExitStatus: "-1", SignalReason: wire.ReasonAgentRefused},
			errors.New("prepare: no room"),
			`error {"command":"` + strings.Repeat("ü", 50) + `…","error":"prepare: no room","job_id":"j","log_bytes":9,"reason":"agent_refused"}`,
		},
	} {
		core, logs := observer.New(zap.DebugLevel)
		accepted := wire.Job{ID: "j", Env: map[string]string{wire.EnvCommand: tt.command}, Token: "t0ken"}
		logEnd(zap.New(core), accepted, job.Result{FinishRequest: tt.result, StartedAt: begin, OutputBytes: 9}, tt.err)
		for _, line := range logs.TakeAll() {
			fields, err := json.Marshal(line.ContextMap())
			if got := line.Level.String() + " " + string(fields); line.Message != "job ended" || err != nil || got != tt.want {
				t.Errorf("%s: %v\n%s\nwant\n%s", tt.name, err, got, tt.want)
			}
		}
	}
}

// TestLogOfJobs logs the states that a job changes only where something else changes, too.
func TestLogOfJobs(t *testing.T) {
	t.Parallel()
	ended := fsm.Event{Kind: fsm.JobFinished, Job: "j"}
	for _, tt := range []struct {
		name   string
		mode   fsm.Mode
		events []fsm.Event
		want   string
	}{
		{"by stream", fsm.Auto, []fsm.Event{{Kind: fsm.ReceivedResume, Epoch: 1}, {Kind: fsm.ReceivedJob, Epoch: 1, Job: "j"}, ended}, "Started"},
		{"by ping", fsm.PollOnly, []fsm.Event{{Kind: fsm.PollDue}, {Kind: fsm.AnsweredJob, Epoch: 1, Job: "j"}, ended}, "Started PollDue"},
		{
			"the stream is lost in a job", fsm.Auto,
			[]fsm.Event{{Kind: fsm.ReceivedResume, Epoch: 1}, {Kind: fsm.ReceivedJob, Epoch: 1, Job: "j"}, {Kind: fsm.StreamLost, Epoch: 1}, ended},
			"Started JobFinished",
		},
		{
			"refused", fsm.Auto,
			[]fsm.Event{{Kind: fsm.ReceivedResume, Epoch: 1}, {Kind: fsm.ReceivedJob, Epoch: 1, Job: "j"}, {Kind: fsm.JobRejected, Job: "j"}},
			"Started JobRejected",
		},
	} {
		config := fsm.Config{Mode: tt.mode}
		machine, err := fsm.New(config)
		if err != nil {
			t.Fatal(err)
		}
		core, logs := observer.New(zap.InfoLevel)
		var l recordLog
		for i, event := range append([]fsm.Event{config.Start()}, tt.events...) {
			if _, err := machine.Step(event); err != nil {
				t.Fatal(tt.name, err)
			}
			r := machine.Record(time.Unix(int64(1000+i), 0), "w", "")
			l.record(zap.New(core), &r)
		}
		var got []string
		for _, line := range logs.TakeAll() {
			kind, _, _ := strings.Cut(line.ContextMap()["event"].(string), " ")
			got = append(got, kind)
		}
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, text, tt.want)
		}
	}
}
