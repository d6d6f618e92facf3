package dispatch

import (
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// No job of a paused queue is offered, on any path, until it is resumed, also after a
// restart. What was offered before runs.
func TestAPausedQueueDispatchesNothing(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	feed := p.attached(a)
	offered := p.submit(record.Job{})
	p.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: offered})
	queue, err := p.PauseQueue(t.Context(), wire.DefaultQueue, "disk full", "alice")
	must(t, err)
	if got := queue.Pause; !got.Paused || got.Reason != "disk full" || got.By != "alice" || got.At.IsZero() {
		t.Errorf("the queue has the pause %+v", got)
	}
	p.startJob(p.accept(a, offered))

	id := p.submit(record.Job{})
	p.silent(p.attached(p.register("with a stream")))
	polls := p.register("polls")
	p.pings(polls, wire.Instruction{Kind: wire.Resume})
	if _, _, err := p.Acquire(t.Context(), polls, id); err == nil || !strings.Contains(err.Error(), "queue default is paused by alice: disk full") {
		t.Errorf("acquiring a job of a paused queue: %v", err)
	}

	p.restart()
	p.pings(polls, wire.Instruction{Kind: wire.Resume})
	p.state(id, wire.StateQueued)
	job := p.job(id)
	if got, want := p.WaitingReason(job), "queue default is paused by alice since "; !strings.HasPrefix(got, want) || !strings.HasSuffix(got, ": disk full") {
		t.Errorf("the job waits because %q", got)
	}
	if got := job.History.Entries[0].Reason; !strings.Contains(got, "is paused by alice") {
		t.Errorf("its history says that it waits because %q", got)
	}
	for range 2 { // repeated, it succeeds
		_, err = p.ResumeQueue(t.Context(), wire.DefaultQueue, "bob")
		must(t, err)
	}
	p.pings(polls, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
}

// A pause holds at every replica, and so does its end.
func TestAPauseOfAQueueHoldsAtEveryReplica(t *testing.T) {
	one, two := twoPlants(t)
	feed := two.attached(two.register("a"))
	paused := func() bool {
		queue, err := two.Queue(wire.DefaultQueue)
		must(t, err)
		return queue.Pause.Paused
	}
	_, err := one.PauseQueue(t.Context(), wire.DefaultQueue, "why", "alice")
	must(t, err)
	until(t, "the pause is known here", paused)
	id := two.submit(record.Job{})
	two.silent(feed)
	_, err = one.ResumeQueue(t.Context(), wire.DefaultQueue, "alice")
	must(t, err)
	two.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
}

func TestPauseQueueRefuses(t *testing.T) {
	p := newPlant(t, Options{})
	for name, row := range map[string]struct{ queue, reason, want string }{
		"no name":    {"", "why", "name must have 1 to 255 bytes"},
		"a bad name": {"a,b", "why", `name is "a,b", but may have`},
		"no reason":  {"a", " ", "reason must say why"},
		"too long":   {"a", strings.Repeat("x", maxReason+1), "reason must have at most"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.PauseQueue(t.Context(), row.queue, row.reason, "alice")
			wantErr(t, err, ErrInvalid)
			if err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %q, want %q", err, row.want)
			}
		})
	}
	_, err := p.Queue("a")
	wantErr(t, err, ErrNotFound)
	_, err = p.PauseQueue(t.Context(), "already", "why", "alice")
	must(t, err)
	p.records.view(func(x *schedule.Index) {
		for n := range maxPausedQueues {
			x.ApplyQueuePause(record.QueuePause{Queue: strings.Repeat("q", n%200+1) + string(rune('A'+n/200)), Paused: true, Revision: uint64(n + 1)})
		}
	})
	_, err = p.PauseQueue(t.Context(), "one-too-many", "why", "alice")
	wantErr(t, err, ErrInvalid)
	_, err = p.PauseQueue(t.Context(), "already", "another reason", "alice")
	must(t, err)
}
