package agent

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// TestMachines drives a machine and shows what is reported of it a second after each
// event.
func TestMachines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		machine, err := fsm.New(fsm.Config{})
		if err != nil {
			t.Fatal(err)
		}
		m := newMachines()
		if got := m.of("w").String(); got != "" {
			t.Errorf("before the start: %q", got)
		}
		for _, row := range []struct {
			event fsm.Event
			want  string
		}{
			{fsm.Event{Kind: fsm.Started}, "StreamHealthy stream 1000"},
			{fsm.Event{Kind: fsm.ReceivedResume, Epoch: 1}, "StreamHealthy stream 2000"},
			{fsm.Event{Kind: fsm.ReceivedJob, Epoch: 1, Job: "j"}, "Running stream 1000"},
			{fsm.Event{Kind: fsm.JobFinished, Job: "j"}, "StreamHealthy stream 1000"},
			{fsm.Event{Kind: fsm.StreamLost, Epoch: 1}, "FallingBack poll 1000"},
			{fsm.Event{Kind: fsm.PollDue}, "FallingBack poll 2000"}, // the ping is not shown
			{fsm.Event{Kind: fsm.AnsweredJob, Epoch: 1, Job: "k"}, "PollingBusy poll 1000"},
			{fsm.Event{Kind: fsm.JobFinished, Job: "k"}, "FallingBack poll 1000"},
			{fsm.Event{Kind: fsm.DrainRequested}, ""},
		} {
			if _, err := machine.Step(row.event); err != nil {
				t.Fatal(err)
			}
			m.observe(machine.Record(time.Now(), "w", ""))
			time.Sleep(time.Second)
			if got := m.of("w").String(); got != row.want {
				t.Errorf("%v: %q, want %q", row.event, got, row.want)
			}
		}
	})
}
