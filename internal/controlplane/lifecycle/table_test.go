package lifecycle_test

import (
	"slices"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// states are all states, the one before the submission included.
func states() []lifecycle.State {
	return []lifecycle.State{
		"", wire.StateQueued, wire.StateAssigned, wire.StateAccepted, wire.StateRunning,
		wire.StateFinished, wire.StateCanceled, wire.StateLost,
	}
}

// jobs returns a job in the state for every combination of facts that a guard
// reads.
func jobs(s lifecycle.State) []lifecycle.Job {
	list := []lifecycle.Job{{State: s, WorkerID: "w1"}}
	vary := func(change func(*lifecycle.Job)) {
		for _, job := range slices.Clone(list) {
			change(&job)
			list = append(list, job)
		}
	}
	vary(func(j *lifecycle.Job) { j.Tokens = []string{"t1"} })
	if s == wire.StateLost { // only a lost job can have it
		vary(func(j *lifecycle.Job) { j.Revoked = true })
	}
	vary(func(j *lifecycle.Job) { j.RetriesLeft = 1 })
	vary(func(j *lifecycle.Job) { j.CancelRequested = true })
	vary(func(j *lifecycle.Job) { j.StopRequested = true })
	vary(func(j *lifecycle.Job) { j.TimedOut = true })
	vary(func(j *lifecycle.Job) { j.RetriedBy = "r0" })
	vary(func(j *lifecycle.Job) { j.LateResult = &lifecycle.Result{ExitStatus: "0"} })
	vary(func(j *lifecycle.Job) { j.LateResult = &lifecycle.Result{ExitStatus: "-1", Signal: "SIGTERM"} })
	vary(func(j *lifecycle.Job) { j.RetryKept = true })
	vary(func(j *lifecycle.Job) { j.ExitStatus = "0" })
	return list
}

// events returns the event for every combination of fields that a guard reads.
func events(k lifecycle.EventKind) []lifecycle.Event {
	var list []lifecycle.Event
	for _, worker := range []string{"w1", "w2"} {
		for _, token := range []string{"t1", "t2"} {
			for _, overdue := range []bool{false, true} {
				for _, r := range []lifecycle.Result{
					{ExitStatus: "0"},
					{ExitStatus: "-1", Signal: "SIGTERM", SignalReason: wire.ReasonCancel},
					{ExitStatus: "-1", SignalReason: wire.ReasonAgentStop},
				} {
					list = append(list, lifecycle.Event{
						Kind: k, WorkerID: worker, Token: token, Result: r, Overdue: overdue, RetryID: "r1", Reason: "why",
					})
				}
			}
		}
	}
	return list
}

// TestTotality checks that every state answers every event for all facts: by a
// row, or by an entry of the ignored list, never by both and never by neither.
func TestTotality(t *testing.T) {
	type pair struct {
		from lifecycle.State
		on   lifecycle.EventKind
	}
	ignored := map[pair]bool{}
	for _, p := range lifecycle.IgnoredPairs() {
		if ignored[pair{p.From, p.On}] {
			t.Errorf("%q, %v: ignored twice", p.From, p.On)
		}
		if p.Why == "" {
			t.Errorf("%q, %v: ignored without a reason", p.From, p.On)
		}
		ignored[pair{p.From, p.On}] = true
	}
	taken := map[string]bool{}
	for _, s := range states() {
		for _, k := range lifecycle.EventKinds() {
			for _, job := range jobs(s) {
				for _, ev := range events(k) {
					_, d := lifecycle.Next(job, ev)
					switch {
					case d.Row == nil && !ignored[pair{s, k}]:
						t.Fatalf("%q, %v: no row for %+v, %+v", s, k, job, ev)
					case d.Row != nil && ignored[pair{s, k}]:
						t.Fatalf("%q, %v: has rows and is ignored", s, k)
					case d.Row != nil:
						taken[string(s)+" "+d.Row.Name()] = true
					}
				}
			}
		}
	}
	rows := lifecycle.Rows()
	for i := range rows {
		if name := string(rows[i].From) + " " + rows[i].Name(); !taken[name] {
			t.Errorf("%s: no facts take this row, or two rows have one name", name)
		}
	}
}

// TestInvariants checks what must be true of every job after every event,
// whatever the job was before.
func TestInvariants(t *testing.T) {
	for _, s := range states() {
		for _, k := range lifecycle.EventKinds() {
			for _, job := range jobs(s) {
				for _, ev := range events(k) {
					after, d := lifecycle.Next(job, ev)
					bad := func(what string) { t.Errorf("%q, %v, %+v, %+v: %s", s, k, job, ev, what) }
					if d.Refusal != "" && d.Changed {
						bad("refused and changed")
					}
					if !d.Changed {
						continue
					}
					if after.State == wire.StateQueued && s != "" && (after.WorkerID != "" || len(after.Tokens) > 0) {
						bad("queued with a worker or a token")
					}
					if after.State == wire.StateRunning && s != wire.StateRunning && len(after.Tokens) != 1 {
						bad("started with more than one valid token")
					}
					if job.State.Final() && !after.State.Final() {
						bad("a job that had ended lives again")
					}
					if len(after.History.Entries) != len(job.History.Entries)+1 {
						bad("the change left no entry in the history")
					}
					if job.Revoked && !after.Revoked || k == lifecycle.WorkerRevoked && s == wire.StateRunning && after.Holds("t1") {
						bad("a token of a revoked worker is valid")
					}
					if after.RetriedBy != job.RetriedBy && (after.RetriedBy != ev.RetryID || !job.Retriable()) {
						bad("retried without leave")
					}
				}
			}
		}
	}
}
