package dispatch

import (
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// lostAndRetried returns the grant of a job that was lost, and its retry, queued. The
// job's worker is lost.
func (p *plant) lostAndRetried() (JobGrant, string) {
	p.t.Helper()
	g := p.run(p.register("a"), record.Job{Job: lifecycle.Job{RetriesLeft: 1}})
	p.pass(schedule.DefaultLeaseTimeout + 2*time.Second)
	p.state(g.JobID, wire.StateLost)
	retry := p.job(g.JobID).RetriedBy
	p.state(retry, wire.StateQueued)
	return g, retry
}

// hasEntry checks that the last entry of a job's history has the event and text.
func (p *plant) hasEntry(id string, event lifecycle.EventKind, text string) {
	p.t.Helper()
	entries := p.job(id).History.Entries
	if last := entries[len(entries)-1]; last.Event != event.String() || !strings.Contains(last.Reason, text) {
		p.t.Errorf("the last entry of the history is %+v, want %s with %q", last, event, text)
	}
}

// A result that arrives after its job was retried withdraws the retry, if that was not
// started, and ends the job. A retry that was started runs on.
func TestLateResultsAndRetries(t *testing.T) {
	done := wire.FinishRequest{ExitStatus: "7"}
	for name, row := range map[string]struct {
		until     wire.JobState // how far the retry has come
		result    wire.FinishRequest
		job       wire.JobState
		withdrawn bool
	}{
		"the retry waits":           {wire.StateQueued, done, wire.StateFinished, true},
		"the retry is on offer":     {wire.StateAssigned, done, wire.StateFinished, true},
		"the retry is accepted":     {wire.StateAccepted, done, wire.StateFinished, true},
		"the retry runs":            {wire.StateRunning, done, wire.StateLost, false},
		"the retry has ended":       {wire.StateFinished, done, wire.StateLost, false},
		"somebody canceled it":      {wire.StateCanceled, done, wire.StateFinished, false},
		"the agent ended the job":   {wire.StateQueued, wire.FinishRequest{ExitStatus: "-1", SignalReason: wire.ReasonAgentStop}, wire.StateLost, false},
		"over its timeout":          {wire.StateQueued, wire.FinishRequest{ExitStatus: "-1", Signal: "SIGTERM", SignalReason: wire.ReasonTimedOut}, wire.StateCanceled, true},
		"a signal of somebody else": {wire.StateQueued, wire.FinishRequest{ExitStatus: "-1", Signal: "SIGKILL"}, wire.StateFinished, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, Options{})
			g, retry := p.lostAndRetried()
			b := p.register("b")
			var again JobGrant
			for _, step := range []struct {
				state wire.JobState
				do    func()
			}{
				{wire.StateAssigned, func() { p.pings(b, wire.Instruction{Kind: wire.JobAssigned, JobID: retry}) }},
				{wire.StateAccepted, func() { again = p.accept(b, retry) }},
				{wire.StateRunning, func() { p.startJob(again) }},
				{wire.StateFinished, func() { must(t, again.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"})) }},
			} {
				if row.until == wire.StateCanceled {
					p.cancel(retry, "canceled")
				}
				if p.job(retry).State == row.until {
					break
				}
				step.do()
				p.state(retry, step.state)
			}
			for range 2 { // the first response was lost
				must(t, g.Finish(t.Context(), row.result))
			}
			p.pass(time.Second)
			p.state(g.JobID, row.job)
			want := row.until
			if row.withdrawn {
				want = wire.StateCanceled
				p.hasEntry(retry, lifecycle.OriginalEnded, g.JobID)
				p.hasEntry(g.JobID, lifecycle.RetryWithdrawn, retry)
				if row.until == wire.StateAccepted {
					wantErr(t, again.Start(t.Context(), p.clock.Now()), ErrUnauthenticated)
				}
				p.pings(b, wire.Instruction{Kind: wire.Resume}) // it is free again
			}
			p.state(retry, want)
			if row.until == wire.StateRunning {
				p.hasEntry(g.JobID, lifecycle.RetryKept, retry)
			}
			p.records.view(func(x *schedule.Index) {
				if n := len(x.Pending()); n != 0 {
					t.Errorf("%d jobs have effects still to be done", n)
				}
			})
		})
	}
}

// What a process that died has not done is done by the next sweep, wherever it was.
func TestLateResultsAfterACrash(t *testing.T) {
	for name, steps := range map[string]int{
		"the retry was not submitted": 0, "the retry was not withdrawn": 1, "the job was not ended": 2,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, Options{})
			job := record.Job{ID: newID(), Command: []string{"true"}, Queue: "default", Job: lifecycle.Job{
				State: wire.StateLost, RetriesLeft: 1, RetriedBy: newID(), Late: true, LateResult: &lifecycle.Result{ExitStatus: "3"},
			}}
			job, err := p.st.PutJob(t.Context(), job)
			must(t, err)
			if steps > 0 {
				retry, err := newJob(retryOf(job), lifecycle.Event{Kind: lifecycle.Submitted})
				must(t, err)
				if steps > 1 {
					retry, err = jobAfter(retry, lifecycle.Event{Kind: lifecycle.OriginalEnded})
					must(t, err)
				}
				_, err = p.st.PutJob(t.Context(), retry)
				must(t, err)
			}
			p.restart()
			p.pass(time.Second)
			p.state(job.ID, wire.StateFinished)
			p.state(job.RetriedBy, wire.StateCanceled)
			if got := p.job(job.ID); got.ExitStatus != "3" || !got.Late {
				t.Errorf("the result is %+v", got.Result)
			}
		})
	}
}

// A retry that was submitted is not submitted again where it is gone: it was deleted, or
// has expired before the job that it retries.
func TestARetryThatIsGoneIsNotSubmittedAgain(t *testing.T) {
	p := newPlant(t, Options{})
	g, retry := p.lostAndRetried()
	again := p.runOn(p.register("b"), retry)
	must(t, again.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	_, err := p.Delete(t.Context(), retry)
	must(t, err)
	for _, when := range []string{"at once", "after a restart", "after a late result"} {
		switch when {
		case "after a restart":
			p.restart()
		case "after a late result":
			must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
			p.pass(time.Second)
		}
		p.records.view(func(x *schedule.Index) {
			if pending := x.Pending(); len(pending) > 0 {
				t.Errorf("%s: the effects %v are still to be done", when, schedule.Effects(&pending[0]))
			}
		})
		if when == "after a restart" { // the dispatcher is another one
			g.d = p.Dispatcher
		}
	}
	_, err = p.Job(t.Context(), retry)
	wantErr(t, err, ErrNotFound)
	_, err = p.Delete(t.Context(), g.JobID)
	must(t, err)
}
