package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/switchyard-ci/switchyard/internal/datadir"
	"github.com/switchyard-ci/switchyard/internal/wire"
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

	ctx     context.Context //nolint:containedctx // of the streams
	cancel  context.CancelFunc
	running sync.WaitGroup
	callers []*rawCaller

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
		w.callers = append(w.callers, &rawCaller{address: s.address()})
	}
	var registered sync.WaitGroup
	next := make(chan int)
	for range registering {
		registered.Go(func() {
			for i := range next {
				w.join(w.callers[i/perConnection], token, i)
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
func (w *bareWorkers) join(c *rawCaller, token string, i int) {
	session, err := c.join(w.ctx, token, fmt.Sprintf("bare-%d", i))
	if err != nil {
		w.fail(fmt.Errorf("joining worker %d: %w", i, err))
		return
	}
	w.running.Go(func() { w.stream(c, session) })
}

// stream holds the worker's stream, and runs the jobs that it names. It opens another one
// when the stream has come to its planned end.
func (w *bareWorkers) stream(c *rawCaller, session wire.RegisterResponse) {
	for w.ctx.Err() == nil {
		var buffer []byte
		first, ended := true, make(chan error, 1)
		s := &rawStream{done: func(err error) { ended <- err }}
		s.data = func(p []byte) {
			if first {
				first = false
				select {
				case w.opened <- session.ID:
				default: // it was opened again
				}
			}
			buffer = eachAssigned(append(buffer, p...), func(id string) {
				w.running.Go(func() { w.run(c, session.AccessToken, id) })
			})
		}
		err := c.openStream(w.ctx, session, s)
		if err == nil {
			err = <-ended
		}
		if err != nil || s.grpc != grpcDeadline {
			w.fail(fmt.Errorf("the stream of worker %s has ended with status %q: %w", session.ID, s.grpc, err))
			return
		}
	}
}

// run runs a job of the worker with a session token.
func (w *bareWorkers) run(c *rawCaller, token, id string) {
	if err := c.runJob(w.ctx, token, id); err != nil {
		w.fail(err)
		return
	}
	select {
	case w.finished <- id:
	case <-w.ctx.Done():
	}
}

// bareCommand returns the command of the jobs, which nothing runs.
func bareCommand() []string { return []string{"true"} }

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
	for _, c := range w.callers {
		c.close() // its goroutine starts jobs
	}
	w.running.Wait()
}
