package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// disk is a stream of a group that takes a second for each write, one after the other.
type disk struct {
	turn     chan struct{} // has room for one; a mutex would stop the virtual time
	last     uint64
	alone    []string
	batches  [][]string
	batchErr error
	full     bool
}

func (d *disk) group() *group {
	d.turn = make(chan struct{}, 1)
	return &group{
		enabled: true,
		timeout: func(context.Context) time.Duration { return time.Hour },
		hasRoom: func() bool { return !d.full },
		alone: func(_ context.Context, msg *nats.Msg) (uint64, error) {
			d.turn <- struct{}{}
			defer func() { <-d.turn }()
			time.Sleep(time.Second)
			d.alone = append(d.alone, msg.Subject)
			if msg.Subject == "conflict" {
				return 0, ErrConflict
			}
			d.last++
			return d.last, nil
		},
		batch: func(messages []*nats.Msg) (uint64, error) {
			d.turn <- struct{}{}
			defer func() { <-d.turn }()
			time.Sleep(time.Second)
			var subjects []string
			for _, msg := range messages {
				subjects = append(subjects, msg.Subject)
			}
			slices.Sort(subjects)
			d.batches = append(d.batches, subjects)
			if d.batchErr != nil {
				return 0, d.batchErr
			}
			d.last += uint64(len(messages))
			return d.last, nil
		},
	}
}

func subjects(prefix string, n int) (all []string) {
	for i := range n {
		all = append(all, prefix+strconv.Itoa(i))
	}
	return all
}

// startWrites starts n writes in a bubble. They have begun when it returns.
func startWrites(t *testing.T, g *group, n int) *sync.WaitGroup {
	t.Helper()
	var writes sync.WaitGroup
	for _, subject := range subjects("a", n) {
		writes.Go(func() { _, _ = g.write(t.Context(), nats.NewMsg(subject)) })
	}
	synctest.Wait()
	return &writes
}

// How many writes at a time are stored alone, and how many in batches.
func TestGroup(t *testing.T) {
	refused := &jetstream.APIError{ErrorCode: jetstream.JSErrCodeStreamWrongLastSequence}
	lost := errors.New("no response")
	same := slices.Repeat([]string{"same"}, 3)
	for _, row := range []struct {
		name     string
		writes   []string
		disabled bool
		full     bool
		batchErr error
		alone    int   // how many are stored alone
		batches  []int // the sizes of the batches
		errs     map[string]error
	}{
		{name: "one", writes: subjects("a", 1), alone: 1},
		{name: "a few", writes: subjects("a", maxAlone), alone: maxAlone},
		{name: "as many as wait for their turn", writes: subjects("a", maxAlone+minBatch-1), alone: maxAlone + minBatch - 1},
		{name: "many", writes: subjects("a", 100), alone: maxAlone, batches: []int{minBatch, 100 - maxAlone - minBatch}},
		{name: "a server without batches", writes: subjects("a", 100), disabled: true, alone: 100},
		{name: "a disk without room", writes: subjects("a", 100), full: true, alone: 100},
		{
			name: "a batch is refused", writes: append(subjects("a", maxAlone+minBatch-1), "conflict"), batchErr: refused,
			alone: maxAlone + minBatch, batches: []int{minBatch}, errs: map[string]error{"conflict": ErrConflict},
		},
		{
			name: "a cluster elects", writes: subjects("a", maxAlone+minBatch), batchErr: nats.ErrNoResponders,
			alone: maxAlone + minBatch, batches: []int{minBatch},
		},
		{
			name: "no response to a batch", writes: append(subjects("a", maxAlone), subjects("b", minBatch)...), batchErr: lost,
			alone: maxAlone, batches: []int{minBatch},
			errs: map[string]error{"b0": lost, "b1": lost, "b2": lost, "b3": lost, "b4": lost, "b5": lost},
		},
		{
			name: "one subject", writes: slices.Concat(subjects("a", maxAlone), same, subjects("b", minBatch-len(same))),
			alone: maxAlone + len(same) - 1, batches: []int{minBatch - len(same) + 1},
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &disk{batchErr: row.batchErr, full: row.full}
				g := d.group()
				g.enabled = !row.disabled
				var all sync.WaitGroup
				var mu sync.Mutex
				var sequences []int
				for _, subject := range row.writes {
					all.Go(func() {
						sequence, err := g.write(t.Context(), nats.NewMsg(subject))
						if !errors.Is(err, row.errs[subject]) {
							t.Errorf("%s: got %v, want %v", subject, err, row.errs[subject])
						}
						mu.Lock()
						defer mu.Unlock()
						if err == nil {
							sequences = append(sequences, int(sequence))
						}
					})
					synctest.Wait()
				}
				all.Wait()
				g.end()
				slices.Sort(sequences)
				for i, sequence := range sequences {
					if sequence != i+1 {
						t.Fatalf("sequences: got %v, want each once", sequences)
					}
				}
				var sizes []int
				for _, batch := range d.batches {
					sizes = append(sizes, len(batch))
					if len(slices.Compact(batch)) != len(batch) {
						t.Errorf("a batch has two messages of a subject: %v", batch)
					}
				}
				if len(d.alone) != row.alone || !slices.Equal(sizes, row.batches) {
					t.Errorf("got %d alone and batches of %v, want %d and %v", len(d.alone), sizes, row.alone, row.batches)
				}
				if want := len(row.writes) - len(row.errs); len(sequences) != want {
					t.Errorf("%d writes were stored, want %d", len(sequences), want)
				}
				if g.alones != 0 || g.batching || len(g.waiting) != 0 {
					t.Errorf("at the end %d are stored alone, a batch: %t, %d wait", g.alones, g.batching, len(g.waiting))
				}
			})
		})
	}
}

// A write that ends before its turn, for whatever reason, is not stored.
func TestGroupForgetsAWriteThatWaits(t *testing.T) {
	for name, row := range map[string]struct {
		end  func(g *group, cancel context.CancelCauseFunc) // after a millisecond
		want error
	}{
		"the caller leaves": {func(_ *group, cancel context.CancelCauseFunc) {
			time.AfterFunc(time.Millisecond, func() { cancel(context.Canceled) })
		}, context.Canceled},
		"it expires": {func(g *group, _ context.CancelCauseFunc) {
			g.timeout = func(context.Context) time.Duration { return time.Millisecond }
		}, context.DeadlineExceeded},
		"the store is given up": {func(g *group, _ context.CancelCauseFunc) {
			dead := make(chan struct{})
			g.dead = dead
			time.AfterFunc(time.Millisecond, func() { close(dead) })
		}, errEnding},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &disk{}
				g := d.group()
				others := startWrites(t, g, maxAlone)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				began := time.Now()
				row.end(g, cancel)
				if _, err := g.write(ctx, nats.NewMsg("late")); !errors.Is(err, row.want) {
					t.Errorf("got %v, want %v", err, row.want)
				}
				if took := time.Since(began); took != time.Millisecond {
					t.Errorf("the write ended after %v", took)
				}
				others.Wait()
				if slices.Contains(d.alone, "late") || len(d.alone) != maxAlone {
					t.Errorf("stored: %v", d.alone)
				}
			})
		})
	}
}

// A write that is stored alone has what is left of its time.
func TestGroupBoundsAWriteThatHasWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		g := d.group()
		others := startWrites(t, g, maxAlone)
		expires := time.Now().Add(time.Minute)
		g.timeout = func(context.Context) time.Duration { return time.Minute }
		store := g.alone
		g.alone = func(ctx context.Context, msg *nats.Msg) (uint64, error) {
			if deadline, ok := ctx.Deadline(); msg.Subject == "late" && (!ok || !deadline.Equal(expires)) {
				t.Errorf("it has until %v (%t), want %v", deadline, ok, expires)
			}
			return store(ctx, msg)
		}
		if _, err := g.write(t.Context(), nats.NewMsg("late")); err != nil {
			t.Error(err)
		}
		others.Wait()
	})
}

// A write whose caller leaves while it is part of a batch does not wait for the batch, and
// is not stored alone when the batch is refused.
func TestGroupForgetsAWriteOfABatch(t *testing.T) {
	for name, batchErr := range map[string]error{"stored": nil, "refused": nats.ErrNoResponders} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &disk{batchErr: batchErr}
				g := d.group()
				others := startWrites(t, g, maxAlone+minBatch-1)
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Second/2)
				defer cancel()
				if _, err := g.write(ctx, nats.NewMsg("late")); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %v, want the caller's error", err)
				}
				if took := time.Since(began); took != time.Second/2 {
					t.Errorf("the write ended after %v", took)
				}
				others.Wait()
				g.end()
				if slices.Contains(d.alone, "late") || len(d.batches) != 1 || !slices.Contains(d.batches[0], "late") {
					t.Errorf("stored alone: %v, in batches: %v", d.alone, d.batches)
				}
				if g.alones != 0 || g.batching || len(g.waiting) != 0 {
					t.Errorf("at the end %d are stored alone, a batch: %t, %d wait", g.alones, g.batching, len(g.waiting))
				}
			})
		})
	}
}

// Many jobs at a time are stored in batches, each with its own revision; one that
// conflicts stops no other.
func TestManyWritesShareASync(t *testing.T) {
	s := openTest(t, Options{})
	var batches, batched atomic.Int64
	commit := s.group.batch
	s.group.batch = func(messages []*nats.Msg) (uint64, error) {
		batches.Add(1)
		batched.Add(int64(len(messages)))
		return commit(messages)
	}
	const jobs = 300
	stored := make([]record.Job, jobs)
	var all sync.WaitGroup
	for i := range jobs {
		all.Go(func() {
			job := record.Job{ID: fmt.Sprint("j", i), Command: []string{"true"}, Job: lifecycle.Job{State: wire.StateQueued}}
			stale := job
			var err error
			if job, err = s.PutJob(t.Context(), job); err == nil {
				job.State = wire.StateRunning
				job, err = s.PutJob(t.Context(), job)
			}
			if err != nil {
				t.Errorf("job %d: %v", i, err)
			}
			stored[i] = job
			if i%100 == 0 {
				if _, err := s.PutJob(t.Context(), stale); !errors.Is(err, ErrConflict) {
					t.Errorf("a job that exists is created again: %v", err)
				}
			}
		})
	}
	all.Wait()
	for _, want := range stored {
		got, err := s.Job(t.Context(), want.ID)
		if err != nil || got.Revision != want.Revision || got.State != wire.StateRunning {
			t.Errorf("job %s is %s at %d, %v; want running at %d", want.ID, got.State, got.Revision, err, want.Revision)
		}
	}
	t.Logf("%d of %d writes were stored in %d batches", batched.Load(), 2*jobs, batches.Load())
	if batched.Load() < jobs || batches.Load() > batched.Load()/minBatch {
		t.Errorf("%d of %d writes were stored in %d batches", batched.Load(), 2*jobs, batches.Load())
	}
}
