package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/switchyard-ci/switchyard/internal/client"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	designKept    = 1_000_000
	keptReach     = 10 * time.Second
	keptMemory    = 600 * megabyte
	keptReady     = 5 * time.Minute // the longest wait for the start
	keptPoll      = 20 * time.Millisecond
	keptListed    = 20_000
	keptPage      = 1000
	keptListReach = time.Second
)

// measureKept fills a store with jobs that have ended, starts a control plane on it as
// a process of its own, and lists some of the jobs.
func measureKept(ctx context.Context, l *lab) (results []result, err error) {
	dir, err := os.MkdirTemp(l.dir, "kept-")
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	if err := fillStore(ctx, dir, l.plan.kept); err != nil {
		return nil, err
	}
	s, err := startServer(ctx, l.binary, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	took, err := s.ready(ctx)
	if err != nil {
		return nil, err
	}
	cpu, err := cpuTime(s.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	peak, err := peakMemory(s.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, l.plan.settle); err != nil {
		return nil, err
	}
	settled, err := residentMemory(s.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	listed, page, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	asDesigned := l.plan.kept == designKept
	return []result{{
		key: keyKept, value: fmt.Sprintf("%.1f s, %d MB", took.Seconds(), peak/megabyte), samples: 1,
		outcome: outcomeOf(asDesigned, took <= keptReach && peak <= keptMemory),
		notes: []string{fmt.Sprintf("%d jobs; CPU time of the start %.1f s; memory after %v: %d MB",
			l.plan.kept, cpu.Seconds(), l.plan.settle, settled/megabyte)},
	}, {
		key: keyListed, value: milliseconds(page) + " ms", samples: 1, outcome: outcomeOf(asDesigned, page <= keptListReach),
		notes: []string{fmt.Sprintf("%d jobs by state and queue, with their number; the newest %d of a state, whole records, in pages: %v",
			keptPage, listed.jobs, listed.took.Round(time.Millisecond))},
	}}, nil
}

// serverProcess is a process of the program that runs a control plane.
type serverProcess struct {
	cmd     *exec.Cmd
	stderr  *bytes.Buffer // read only after the end
	url     string
	dir     string
	started time.Time
	exited  chan error
}

// startServer starts a control plane and does not wait for it.
func startServer(ctx context.Context, binary, dir string) (*serverProcess, error) {
	free, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("finding a free port: %w", err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		return nil, fmt.Errorf("finding a free port: %w", err)
	}
	s := &serverProcess{stderr: &bytes.Buffer{}, url: "http://" + address, dir: dir, exited: make(chan error, 1)}
	s.cmd = exec.CommandContext(ctx, binary, "server", "start", "--data-dir", dir, "--listen", address, "--log-level", "error")
	s.cmd.Stderr = s.stderr
	s.started = time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting a control plane: %w", err)
	}
	go func() { s.exited <- s.cmd.Wait() }()
	return s, nil
}

// ready waits until the control plane serves requests, and returns how long that took.
func (s *serverProcess) ready(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, keptReady)
	defer cancel()
	caller := &http.Client{Timeout: keptReady}
	defer caller.CloseIdleConnections()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/readyz", http.NoBody)
		if err != nil {
			return 0, fmt.Errorf("asking whether the control plane is ready: %w", err)
		}
		if res, err := caller.Do(req); err == nil {
			if err := res.Body.Close(); err == nil && res.StatusCode == http.StatusOK {
				return time.Since(s.started), nil
			}
		}
		select {
		case err := <-s.exited:
			s.exited <- err
			return 0, fmt.Errorf("the control plane has ended (%w): %s", err, bytes.TrimSpace(s.stderr.Bytes()))
		default:
		}
		if err := pause(ctx, keptPoll); err != nil {
			return 0, err
		}
	}
}

// listing is how long it took to list that many jobs.
type listing struct {
	jobs int
	took time.Duration
}

// list lists the newest jobs of a state in pages, and returns how long that took, and
// how long one page took by state and queue.
func (s *serverProcess) list(ctx context.Context) (all listing, page time.Duration, err error) {
	token, err := os.ReadFile(filepath.Join(s.dir, "admin-token"))
	if err != nil {
		return all, 0, fmt.Errorf("reading the token: %w", err)
	}
	c, err := client.New(client.Options{Endpoints: []string{s.url}, Token: string(bytes.TrimSpace(token))})
	if err != nil {
		return all, 0, fmt.Errorf("making a client: %w", err)
	}
	defer c.Close()
	finished := []switchyardv1.JobState{switchyardv1.JobState_JOB_STATE_FINISHED}
	for _, n := range []int{1, keptPage} { // the first one connects
		began := time.Now()
		for _, err := range c.Jobs(ctx, &switchyardv1.ListJobsRequest{States: finished, Queue: "queue-3"}, n).All() {
			if err != nil {
				return all, 0, fmt.Errorf("listing jobs: %w", err)
			}
		}
		page = time.Since(began)
	}
	began := time.Now()
	for _, err := range c.Jobs(ctx, &switchyardv1.ListJobsRequest{States: finished}, keptListed).All() {
		if err != nil {
			return all, 0, fmt.Errorf("listing jobs: %w", err)
		}
		all.jobs++
	}
	all.took = time.Since(began)
	return all, page, nil
}

// end ends the control plane.
func (s *serverProcess) end() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending the control plane: %w", err)
	}
	select {
	case err := <-s.exited:
		return err
	case <-time.After(leaveTimeout):
		return errors.Join(errors.New("the control plane still runs after SIGTERM"), s.cmd.Process.Kill())
	}
}
