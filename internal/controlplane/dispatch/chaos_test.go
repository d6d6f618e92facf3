package dispatch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// storm is a control plane that is restarted while its workers work.
type storm struct {
	t   *testing.T
	dir string

	mu sync.RWMutex // held for writing while there is no dispatcher
	st *store.Store
	d  *Dispatcher

	runs   sync.Map // starts by ID of a job
	starts chan string

	restarts int
}

func (s *storm) open() {
	var err error
	if s.st, err = store.Open(s.t.Context(), store.Options{DataDir: s.dir}); err != nil {
		s.t.Error(err)
		return
	}
	s.d, err = New(s.t.Context(), s.st, Options{
		Terms:  schedule.Terms{LeaseTimeout: 20 * time.Second, AssignTimeout: 250 * time.Millisecond, StartTimeout: 2 * time.Second},
		Logger: zap.NewNop(),
	})
	if err != nil {
		s.t.Error(err)
	}
}

func (s *storm) now() *Dispatcher {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.d
}

func (s *storm) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.Close() // first, so that writes in flight fail
	s.d.Close()
	s.open()
	s.restarts++
}

// again repeats a call until its result is definite, as a worker does.
func (s *storm) again(ctx context.Context, call func(*Dispatcher) error) error {
	for {
		err := call(s.now())
		if err == nil || errors.Is(err, ErrWrongState) || errors.Is(err, ErrUnauthenticated) || errors.Is(err, ErrNotFound) || ctx.Err() != nil {
			return err
		}
	}
}

// worker behaves like a worker: its stream breaks, it pings in between, and it
// starts each job at most once, one at a time.
func (s *storm) worker(ctx context.Context, name string, r *rand.Rand) {
	var worker record.Worker
	err := s.again(ctx, func(d *Dispatcher) (err error) {
		worker, _, err = d.Register(ctx, record.Worker{Name: name, Tags: []string{"queue=" + []string{"a", "b"}[r.IntN(2)]}})
		return err
	})
	if err != nil {
		return
	}
	seen := map[string]bool{}
	for ctx.Err() == nil {
		if r.IntN(3) == 0 {
			if in, err := s.now().Ping(ctx, worker.ID); err == nil {
				s.follow(ctx, worker.ID, in, seen, r)
			}
			continue
		}
		feed, err := s.now().Attach(ctx, worker.ID)
		if err != nil {
			continue
		}
		life, cancel := context.WithTimeout(ctx, time.Duration(r.IntN(40))*time.Millisecond)
		for {
			in, err := next(life, feed)
			if err != nil {
				break
			}
			s.follow(ctx, worker.ID, in, seen, r)
		}
		cancel()
		feed.Close()
	}
}

func (s *storm) follow(ctx context.Context, workerID string, in wire.Instruction, seen map[string]bool, r *rand.Rand) {
	if in.Kind != wire.JobAssigned || seen[in.JobID] || r.IntN(10) == 0 { // some offers are ignored
		return
	}
	var grant JobGrant
	err := s.again(ctx, func(d *Dispatcher) error {
		_, token, err := d.Accept(ctx, workerID, in.JobID)
		if err == nil {
			grant, err = d.AuthorizeJob(ctx, token)
		}
		return err
	})
	if err != nil || r.IntN(20) == 0 { // some responses are lost
		return
	}
	on := func(d *Dispatcher) JobGrant { g := grant; g.d = d; return g }
	if err := s.again(ctx, func(d *Dispatcher) error { return on(d).Start(ctx, time.Now()) }); err != nil {
		return
	}
	seen[in.JobID] = true
	count, _ := s.runs.LoadOrStore(in.JobID, new(int))
	*count.(*int)++ //nolint:forcetypeassert // nothing else is stored
	s.starts <- in.JobID
	if err := s.again(ctx, func(d *Dispatcher) error {
		return on(d).AppendLog(ctx, wire.Chunk{Sequence: 1, Data: []byte(in.JobID)})
	}); err != nil && ctx.Err() == nil {
		s.t.Errorf("the log of a running job: %v", err)
	}
	if err := s.again(ctx, func(d *Dispatcher) error { return on(d).Finish(ctx, wire.FinishRequest{ExitStatus: "0"}) }); err != nil && ctx.Err() == nil {
		s.t.Errorf("the end of a running job: %v", err)
	}
}

// Streams break, offers are ignored, workers are paused and resumed, and the
// control plane is restarted on its store: each job runs exactly once, and none is
// stuck.
func TestEachJobIsRunOnce(t *testing.T) {
	const workers, jobs = 20, 300
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := &storm{t: t, dir: t.TempDir(), starts: make(chan string, 2*jobs)}
	s.open()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var all, submitting sync.WaitGroup
	for i := range workers {
		all.Go(func() { s.worker(ctx, fmt.Sprint("w", i), rand.New(rand.NewPCG(seed, uint64(i)))) })
	}
	var mu sync.Mutex
	ids := map[string]bool{}
	for i := range 4 {
		submitting.Go(func() {
			for j := range jobs / 4 {
				err := s.again(ctx, func(d *Dispatcher) error {
					job, _, err := d.Submit(ctx, record.Job{
						Command: []string{"true"}, Queue: []string{"a", "b"}[j%2], Priority: int32(j % 3),
						IdempotencyKey: fmt.Sprint(i, "-", j), // makes a repeated submission safe
					})
					if err == nil {
						mu.Lock()
						defer mu.Unlock()
						ids[job.ID] = true
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Go(func() { s.trouble(ctx, rand.New(rand.NewPCG(seed, workers))) })
	started := 0
	for started < jobs && ctx.Err() == nil {
		select {
		case <-s.starts:
			started++
		case <-ctx.Done():
		}
	}
	submitting.Wait()
	err := s.again(ctx, s.allOver)
	cancel()
	all.Wait()
	if err != nil {
		t.Errorf("after %d starts of %d: %v", started, jobs, err)
	}
	t.Logf("%d restarts, %d starts", s.restarts, started)
	if len(ids) != jobs {
		t.Errorf("%d jobs were made, want %d", len(ids), jobs)
	}
	s.runs.Range(func(id, count any) bool {
		if n := *count.(*int); n != 1 || !ids[id.(string)] { //nolint:forcetypeassert // nothing else is stored
			t.Errorf("job %s was run %d times", id, n)
		}
		delete(ids, id.(string)) //nolint:forcetypeassert // the same
		return true
	})
	for id := range ids {
		t.Errorf("job %s was not run", id)
	}
	s.d.Close()
	s.st.Close()
}

// allOver returns an error as long as a job is not finished.
func (s *storm) allOver(d *Dispatcher) error {
	page, err := d.Jobs(s.t.Context(), schedule.JobFilter{States: []wire.JobState{
		wire.StateQueued, wire.StateAssigned, wire.StateAccepted, wire.StateRunning, wire.StateCanceled, wire.StateLost,
	}}, schedule.Page{})
	if err == nil && len(page.Jobs) > 0 {
		err = fmt.Errorf("job %s is %s", page.Jobs[0].ID, page.Jobs[0].State) //nolint:err113 // for the test's log
	}
	return err
}

// trouble pauses and resumes workers, and restarts the control plane.
func (s *storm) trouble(ctx context.Context, r *rand.Rand) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		d := s.now()
		page, err := d.Workers(ctx, schedule.WorkerFilter{}, schedule.Page{})
		workers := page.Workers
		if err != nil || len(workers) == 0 {
			continue
		}
		worker := workers[r.IntN(len(workers))]
		switch r.IntN(8) {
		case 0:
			s.restart()
		case 1, 2:
			_, _ = d.Pause(ctx, worker.ID, "faults", workerstate.ByOperator) // fails during a restart
		default:
			for _, a := range workers {
				if a.State == workerstate.Paused {
					_, _ = d.Resume(ctx, a.ID, workerstate.ByOperator) // fails during a restart
				}
			}
		}
	}
}
