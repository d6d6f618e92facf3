package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/internal/datadir"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

const (
	// registering is how many bare workers register at a time.
	registering = 16
	bareQueue   = "bench"
)

// bareWorkers are workers without a machine, a log or a process: each accepts, starts
// and finishes the jobs that its stream names, at once.
type bareWorkers struct {
	finished chan string // IDs of jobs
	opened   chan string // IDs of workers, at the first message of a stream

	ctx        context.Context //nolint:containedctx // of the streams
	cancel     context.CancelFunc
	running    sync.WaitGroup
	transports []*transport.Transport

	mu  sync.Mutex
	err error
}

// startBareWorkers registers workers with a control plane and opens their streams, so
// many of them on one connection. It returns when each stream has a message.
func startBareWorkers(ctx context.Context, s *serverProcess, workers, perConnection int) (*bareWorkers, error) {
	token, err := s.token(datadir.RegistrationTokenFile)
	if err != nil {
		return nil, err
	}
	w := &bareWorkers{finished: make(chan string, workers), opened: make(chan string, workers)}
	w.ctx, w.cancel = context.WithCancel(ctx)
	connections := (workers + perConnection - 1) / perConnection
	for range connections {
		t, err := transport.New(transport.Options{Endpoints: []string{s.url + wire.Prefix}})
		if err != nil {
			w.end()
			return nil, fmt.Errorf("making a transport: %w", err)
		}
		w.transports = append(w.transports, t)
	}
	var registered sync.WaitGroup
	next := make(chan int)
	for range registering {
		registered.Go(func() {
			for i := range next {
				w.join(w.transports[i/perConnection], token, i)
			}
		})
	}
	for i := range workers {
		next <- i
	}
	close(next)
	registered.Wait()
	for range workers {
		select {
		case <-w.opened:
		case <-w.ctx.Done():
			w.end()
			return nil, errors.Join(w.failure(), errors.New("not every stream was opened"))
		}
	}
	return w, nil
}

// join registers one worker and opens its stream.
func (w *bareWorkers) join(t *transport.Transport, token string, i int) {
	session, err := t.Register(w.ctx, func() string { return token }, wire.RegisterRequest{
		Name: fmt.Sprintf("bare-%d", i), Tags: []string{"queue=" + bareQueue}, ScriptEvalEnabled: true,
	})
	if err == nil {
		err = session.Connect(w.ctx)
	}
	if err != nil {
		w.fail(fmt.Errorf("joining worker %d: %w", i, err))
		return
	}
	jobs := make(chan string, 1)
	w.running.Go(func() { w.stream(session, jobs) })
	w.running.Go(func() { w.run(session, jobs) })
}

// stream passes on the jobs that the worker's stream names, and closes the channel at the
// end of the stream.
func (w *bareWorkers) stream(session *transport.Session, jobs chan<- string) {
	defer close(jobs)
	session.RunStream(w.ctx, transport.StreamOptions{}, func(e transport.StreamEvent) {
		if e.Kind != transport.StreamMessage {
			return
		}
		if e.First {
			select {
			case w.opened <- session.ID():
			default: // it was opened again
			}
		}
		if e.Instruction.Kind == wire.JobAssigned {
			select {
			case jobs <- e.Instruction.JobID:
			case <-w.ctx.Done():
			}
		}
	})
}

// run runs the jobs of a worker, one after the other.
func (w *bareWorkers) run(session *transport.Session, jobs <-chan string) {
	for id := range jobs {
		if err := runBare(w.ctx, session, id); err != nil {
			w.fail(err)
			continue
		}
		select {
		case w.finished <- id:
		case <-w.ctx.Done():
		}
	}
}

// bareCommand returns the command of the jobs, which nothing runs.
func bareCommand() []string { return []string{"true"} }

// runBare accepts, starts and finishes a job.
func runBare(ctx context.Context, session *transport.Session, id string) error {
	accepted, err := session.Accept(ctx, id)
	if err != nil {
		return fmt.Errorf("accepting job %s: %w", id, err)
	}
	job := session.Job(accepted)
	if err := job.Start(ctx, time.Now()); err != nil {
		return fmt.Errorf("starting job %s: %w", id, err)
	}
	if err := job.Finish(ctx, wire.FinishRequest{ExitStatus: "0"}); err != nil {
		return fmt.Errorf("finishing job %s: %w", id, err)
	}
	return nil
}

// fail keeps the first error.
func (w *bareWorkers) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && w.ctx.Err() == nil {
		w.err = err
	}
}

// failure returns the first error of a worker.
func (w *bareWorkers) failure() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// end closes the streams and the connections.
func (w *bareWorkers) end() {
	w.cancel()
	w.running.Wait()
	for _, t := range w.transports {
		t.Close()
	}
}
