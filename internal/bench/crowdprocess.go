package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// crowdProcess is a crowd in a process of its own.
type crowdProcess struct {
	cmd     *exec.Cmd
	stderr  *bytes.Buffer // read only after the end
	started time.Time
	events  chan crowdEvent // closed at the end
	err     error           // set before events is closed
	open    int             // the number of the last event
}

// startCrowd starts a crowd of workers for the server at an address.
func startCrowd(ctx context.Context, s *serverProcess, tokenFile string, workers, perConnection int) (*crowdProcess, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("starting a crowd: %w", err)
	}
	c := &crowdProcess{stderr: &bytes.Buffer{}, events: make(chan crowdEvent, 1)}
	c.cmd = exec.CommandContext(ctx, program, crowdCommand, s.address(), tokenFile,
		strconv.Itoa(workers), strconv.Itoa(perConnection))
	c.cmd.Stderr = c.stderr
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting a crowd: %w", err)
	}
	c.started = time.Now()
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting a crowd: %w", err)
	}
	go func() {
		defer close(c.events)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			var e crowdEvent
			if err := json.Unmarshal(lines.Bytes(), &e); err == nil {
				c.events <- e
			}
		}
		c.err = c.cmd.Wait()
	}()
	return c, nil
}

// until returns the next event for which match returns true.
func (c *crowdProcess) until(ctx context.Context, what string, match func(crowdEvent) bool) (crowdEvent, error) {
	for {
		select {
		case e, more := <-c.events:
			if !more {
				return e, fmt.Errorf("waiting for %s: the crowd has ended (%w): %s", what, c.err, bytes.TrimSpace(c.stderr.Bytes()))
			}
			if e.Open >= 0 {
				c.open = e.Open
			}
			if match(e) {
				return e, nil
			}
		case <-ctx.Done():
			return crowdEvent{}, fmt.Errorf("waiting for %s, with %d streams open: %w", what, c.open, context.Cause(ctx))
		}
	}
}

// end ends the crowd.
func (c *crowdProcess) end() error {
	if err := c.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending a crowd: %w", err)
	}
	for range c.events {
	}
	return c.err
}
