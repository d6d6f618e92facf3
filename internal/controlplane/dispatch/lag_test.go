package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// lagging is a store whose leader is behind the watch: reads and writes are served
// from what was stored up to a moment, until it catches up.
type lagging struct {
	state

	mu       sync.Mutex
	behind   map[string]record.Job // what the leader has of a job; an empty record is none
	position uint64
	left     int // reads until the leader catches up
	reads    int
}

// lag has the next reads of a job served from an older record, or from none.
func (p *plant) lag(id string, older record.Job, reads int) *lagging {
	p.t.Helper()
	position, err := p.st.Position(p.t.Context())
	must(p.t, err)
	l := &lagging{state: p.st, behind: map[string]record.Job{id: older}, position: position - 1, left: reads}
	p.records.state = l
	return l
}

func (l *lagging) Job(ctx context.Context, id string) (record.Job, error) {
	l.mu.Lock()
	older, behind := l.behind[id]
	if behind = behind && l.left > 0; behind {
		l.left--
		l.reads++
	}
	l.mu.Unlock()
	switch {
	case !behind:
		return l.state.Job(ctx, id)
	case older.ID == "":
		return record.Job{}, fmt.Errorf("reading job %s: %w", id, store.ErrNotFound)
	}
	return older, nil
}

func (l *lagging) PutJob(ctx context.Context, job record.Job) (record.Job, error) {
	l.mu.Lock()
	older, behind := l.behind[job.ID]
	behind = behind && l.left > 0 && older.Revision != job.Revision
	l.mu.Unlock()
	if behind {
		return job, fmt.Errorf("storing job %s: %w", job.ID, store.ErrConflict)
	}
	return l.state.PutJob(ctx, job)
}

func (l *lagging) Position(ctx context.Context) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left > 0 {
		return l.position, nil
	}
	return l.state.Position(ctx)
}

// A job that the watch delivers before the leader has it is assigned, and not
// forgotten.
func TestAJobThatTheLeaderDoesNotHaveYet(t *testing.T) {
	for _, polls := range []bool{false, true} {
		t.Run(fmt.Sprintf("polls %t", polls), func(t *testing.T) {
			p := newPlant(t, Options{})
			a := p.register("a")
			id := newID()
			lag := p.lag(id, record.Job{}, 5)
			var feed *Feed
			if !polls {
				feed = p.attached(a)
			}
			// Another replica stores it; this one learns of it by its watch.
			job, err := newJob(record.Job{ID: id, Command: []string{"true"}, Queue: "default"}, lifecycle.Event{Kind: lifecycle.Submitted})
			must(t, err)
			_, err = p.st.PutJob(t.Context(), job)
			must(t, err)
			if polls {
				until(t, "the job is known", func() (known bool) {
					p.records.view(func(x *schedule.Index) { known = x.JobRevision(id) > 0 })
					return known
				})
				p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
			} else {
				p.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
			}
			if lag.reads == 0 {
				t.Error("the leader was not asked while it was behind")
			}
		})
	}
}

// A worker that accepts, starts or finishes a job faster than the leader applies the
// change before is not refused.
func TestALeaderBehindTheWatchRefusesNothing(t *testing.T) {
	steps := []func(p *plant, worker, id string, g *JobGrant){
		func(p *plant, worker, id string, g *JobGrant) { *g = p.accept(worker, id) },
		func(p *plant, _, _ string, g *JobGrant) { p.startJob(*g) },
		func(p *plant, _, _ string, g *JobGrant) {
			must(p.t, g.Finish(p.t.Context(), wire.FinishRequest{ExitStatus: "0"}))
		},
		func(p *plant, _, _ string, g *JobGrant) { // its answer was lost
			must(p.t, g.Finish(p.t.Context(), wire.FinishRequest{ExitStatus: "0"}))
		},
	}
	for slow, name := range []string{"accept", "start", "finish", "finish again"} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, Options{})
			a := p.register("a")
			id := p.submit(record.Job{})
			before := p.job(id)
			p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
			var g JobGrant
			for i, step := range steps[:slow+1] {
				if i == slow {
					p.lag(id, before, 5)
				} else {
					before = p.job(id)
				}
				step(p, a, id, &g)
			}
			p.records.state = p.st
			p.state(id, []wire.JobState{wire.StateAccepted, wire.StateRunning, wire.StateFinished, wire.StateFinished}[slow])
		})
	}
}

// readKnown waits for a leader that is behind, believes one that is not, and gives up
// on one that stays behind.
func TestReadKnown(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name      string
		known     uint64
		reads     []any    // a revision, or an error; the last one is repeated
		positions []uint64 // the last one is repeated
		want      any
	}{
		{"not known", 0, []any{store.ErrNotFound}, nil, store.ErrNotFound},
		{"as known", 7, []any{uint64(7)}, nil, uint64(7)},
		{"newer", 7, []any{uint64(9)}, nil, uint64(9)},
		{"older, then as known", 7, []any{uint64(5), uint64(5), uint64(7)}, nil, uint64(7)},
		{"missing, then there", 7, []any{store.ErrNotFound, store.ErrNotFound, uint64(7)}, []uint64{6}, uint64(7)},
		{"applied between the two requests", 7, []any{store.ErrNotFound, uint64(7)}, []uint64{7}, uint64(7)},
		{"gone", 7, []any{store.ErrNotFound}, []uint64{6, 6, 8}, store.ErrNotFound},
		{"older for good", 7, []any{uint64(5)}, nil, store.ErrUnavailable},
		{"missing for good", 7, []any{store.ErrNotFound}, []uint64{6}, store.ErrUnavailable},
		{"another error", 7, []any{broken}, nil, broken},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				got, err := readKnown(t.Context(), &positions{left: c.positions}, reading[uint64]{
					what: "it", revision: func(r uint64) uint64 { return r }, known: func() uint64 { return c.known },
					read: func(context.Context) (uint64, error) {
						next := c.reads[0]
						c.reads = c.reads[min(1, len(c.reads)-1):]
						if err, failed := next.(error); failed {
							return 0, err
						}
						return next.(uint64), nil
					},
				})
				if want, fails := c.want.(error); fails {
					wantErr(t, err, want)
				} else if err != nil || got != c.want {
					t.Errorf("got %v, %v, want %v", got, err, c.want)
				}
				if waited := time.Since(start); waited > maxLag+maxLagPause {
					t.Errorf("it took %s", waited)
				}
			})
		})
	}
}

type positions struct {
	state

	left []uint64
}

func (p *positions) Position(context.Context) (uint64, error) {
	next := p.left[0]
	p.left = p.left[min(1, len(p.left)-1):]
	return next, nil
}

// A job whose record somebody removed is forgotten, once the leader has no older one.
func TestAJobWhoseRecordIsGone(t *testing.T) {
	p := newPlant(t, Options{})
	id := p.submit(record.Job{})
	l := p.lag(id, record.Job{}, 1<<30)
	l.position++ // the leader has all, and not the job
	a := p.register("a")
	p.pings(a, wire.Instruction{Kind: wire.Resume})
	p.records.view(func(x *schedule.Index) {
		if x.JobRevision(id) != 0 {
			t.Error("the index still has the job")
		}
	})
}
