package agent

import (
	"strings"
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
		status := WorkerStatus{ID: "w"}
		m.describe(&status)
		var changes []string
		for _, c := range status.Changes {
			changes = append(changes, c.From+">"+c.To+" "+c.Event)
		}
		want := "Initial>StreamHealthy Started, StreamHealthy>Running ReceivedJob, Running>StreamHealthy JobFinished, " +
			"StreamHealthy>FallingBack StreamLost, FallingBack>PollingBusy AnsweredJob, PollingBusy>FallingBack JobFinished, " +
			"FallingBack>Stopped DrainRequested"
		if got := strings.Join(changes, ", "); got != want {
			t.Errorf("changes %s\nwant    %s", got, want)
		}
	})
}

// TestFailedPings shows that failures are counted until a ping is answered, and that the
// cause of a fall-back is kept however many pings follow.
func TestFailedPings(t *testing.T) {
	t.Parallel()
	machine, err := fsm.New(fsm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	m := newMachines()
	step := func(ev fsm.Event, cause string) (s WorkerStatus) {
		t.Helper()
		if _, err := machine.Step(ev); err != nil {
			t.Fatal(err)
		}
		m.observe(machine.Record(time.Now(), "w", cause))
		s.ID = "w"
		m.describe(&s)
		return s
	}
	step(fsm.Event{Kind: fsm.Started}, "")
	step(fsm.Event{Kind: fsm.StreamLost, Epoch: 1}, "no route")
	for i := range fsm.Epoch(2 * maxChanges) {
		step(fsm.Event{Kind: fsm.PollDue}, "")
		if s := step(fsm.Event{Kind: fsm.PollFailed, Epoch: i + 1}, "refused"); s.FailedPings != int(i)+1 || s.PingFailure != "refused" ||
			s.StateName != "FallingBack" || s.Changes[len(s.Changes)-1].Cause != "no route" {
			t.Fatalf("after %d failures: %+v", i+1, s)
		}
	}
	step(fsm.Event{Kind: fsm.PollDue}, "")
	if s := step(fsm.Event{Kind: fsm.AnsweredIdle, Epoch: 2*maxChanges + 1}, ""); s.FailedPings != 0 || s.PingFailure != "" {
		t.Errorf("after an answer: %+v", s)
	}
}
