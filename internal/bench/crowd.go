package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
)

// crowdCommand makes this program thousands of bare workers:
// "crowd ADDRESS TOKEN-FILE WORKERS PER-CONNECTION".
const crowdCommand = "crowd"

const (
	// crowdArriving is how many workers register at a time, as machines do that start
	// within a few seconds.
	crowdArriving = 256
	// crowdReport is how often a crowd reports how many streams are open.
	crowdReport = 200 * time.Millisecond
)

// crowdEvent is a line that a crowd prints.
type crowdEvent struct {
	// Open is how many streams have a message; -1 for the other events.
	Open int `json:"open"`
	// Job is the job that a worker was offered, or has finished.
	Job      string `json:"job,omitempty"`
	Finished bool   `json:"finished,omitempty"`
	// At is the moment of the event, in nanoseconds since 1970.
	At int64 `json:"at"`
}

// crowd are workers of one process. They register, hold a stream each, poll while they
// have none, send heartbeats, and accept, start and finish the jobs that they are given.
type crowd struct {
	address, token string
	workers        int
	arriving       chan struct{}
	cancel         context.CancelFunc

	mu     sync.Mutex // for what follows
	open   int
	report *json.Encoder
	failed error // the first failure of a job
}

// runCrowd runs a crowd until the context ends, or a job fails.
func runCrowd(ctx context.Context, args []string, stdout io.Writer) error {
	const arguments = 4
	if len(args) != arguments {
		return errors.New("crowd: missing address, token file, number of workers or of workers on a connection")
	}
	token, err := os.ReadFile(args[1])
	if err != nil {
		return fmt.Errorf("crowd: reading the token: %w", err)
	}
	workers, err := strconv.Atoi(args[2])
	if err != nil {
		return fmt.Errorf("crowd: number of workers: %w", err)
	}
	perConnection, err := strconv.Atoi(args[3])
	if err != nil {
		return fmt.Errorf("crowd: workers on a connection: %w", err)
	}
	c := &crowd{
		address: args[0], token: strings.TrimSpace(string(token)), workers: workers,
		arriving: make(chan struct{}, crowdArriving), report: json.NewEncoder(stdout),
	}
	ctx, c.cancel = context.WithCancel(ctx)
	defer c.cancel()
	var all sync.WaitGroup
	var machine *crowdMachine
	for i := range workers {
		if i%perConnection == 0 {
			age := time.Duration(rand.Float64() * float64(controlplane.DefaultHeartbeatInterval))
			machine = &crowdMachine{rawCaller: rawCaller{address: c.address}, crowd: c, epoch: time.Now().Add(-age)}
		}
		w := &crowdWorker{machine: machine, index: i, name: fmt.Sprintf("crowd-%d", i), events: make(chan streamChange, streamChanges)}
		all.Go(func() { w.run(ctx) })
	}
	c.reportOpen(ctx)
	all.Wait()
	return c.failed
}

// reportOpen prints how many streams are open, when that changes, until ctx ends.
func (c *crowd) reportOpen(ctx context.Context) {
	last := -1
	for pause(ctx, crowdReport) == nil {
		c.mu.Lock()
		if c.open != last && c.open != c.workers {
			c.print(crowdEvent{Open: c.open, At: time.Now().UnixNano()})
		}
		last = c.open
		c.mu.Unlock()
	}
}

// changeOpen counts an opened or closed stream. It reports the moment at which all are
// open.
func (c *crowd) changeOpen(by int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open += by
	if c.open == c.workers {
		c.print(crowdEvent{Open: c.open, At: time.Now().UnixNano()})
	}
}

func (c *crowd) reportJob(id string, finished bool) {
	at := time.Now().UnixNano()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.print(crowdEvent{Open: -1, Job: id, Finished: finished, At: at})
}

// print prints an event. The crowd ends when nobody reads it. The caller holds the lock.
func (c *crowd) print(e crowdEvent) {
	if err := c.report.Encode(e); err != nil {
		c.cancel()
	}
}

// fail ends the crowd with an error, the first one.
func (c *crowd) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed == nil {
		c.failed = err
	}
	c.cancel()
}

// crowdMachine is some workers that share a connection.
type crowdMachine struct {
	rawCaller

	crowd *crowd
	epoch time.Time // of its heartbeats
}
