package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// joinTimeout bounds how long the workers of an agent take to be in control.
	joinTimeout = 60 * time.Second
	// leaveTimeout bounds how long an agent takes to leave when it is asked to.
	leaveTimeout = 15 * time.Second
)

// agentProcess is the program running as an agent.
type agentProcess struct {
	cmd     *exec.Cmd
	kill    context.CancelFunc
	said    *bytes.Buffer // read only after exited
	started time.Time
	exited  chan struct{}
	err     error // set before exited is closed
}

// startAgent runs an agent of some workers, without waiting for them. endpoint
// is empty for the control plane itself; more are flags of the agent.
func (b *bed) startAgent(ctx context.Context, binary, endpoint string, workers int, more ...string) (*agentProcess, error) {
	if endpoint == "" {
		endpoint = b.server.URL()
	}
	args := []string{
		"agent", "start", "--endpoint", endpoint + "/v3", "--token-file", b.tokenFile,
		"--spawn", strconv.Itoa(workers), "--name", "bench", "--log-level", "error",
		"--data-dir", b.dir, "--build-path", filepath.Join(b.dir, "builds"),
	}
	if b.certFile != "" {
		args = append(args, "--ca-file", b.certFile)
	}
	args = append(args, more...)
	ctx, kill := context.WithCancel(ctx)
	a := &agentProcess{kill: kill, said: &bytes.Buffer{}, exited: make(chan struct{})}
	a.cmd = exec.CommandContext(ctx, binary, args...)
	// The settings of whoever runs this are not the bench's.
	a.cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "SWITCHYARD_") })
	a.cmd.Stderr = a.said
	a.started = time.Now()
	if err := a.cmd.Start(); err != nil {
		kill()
		return nil, fmt.Errorf("starting an agent: %w", err)
	}
	b.agents = append(b.agents, a)
	go func() {
		defer close(a.exited)
		a.err = a.cmd.Wait()
	}()
	return a, nil
}

// join runs an agent and waits until the stream is in control of its workers. It
// answers with when each one's stream first spoke.
func (b *bed) join(
	ctx context.Context, binary, endpoint string, workers int, more ...string,
) (*agentProcess, map[string]time.Time, error) {
	w := b.probe.watch()
	defer b.probe.forget(w)
	a, err := b.startAgent(ctx, binary, endpoint, workers, more...)
	if err != nil {
		return nil, nil, err
	}
	first, err := a.within(ctx, joinTimeout, func(ctx context.Context) (map[string]time.Time, error) {
		return inControl(ctx, w, workers)
	})
	return a, first, err
}

// within waits for something that ends early if the agent does.
func (a *agentProcess) within(
	ctx context.Context, limit time.Duration, wait func(context.Context) (map[string]time.Time, error),
) (map[string]time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	go func() {
		select {
		case <-a.exited:
			cancel()
		case <-ctx.Done():
		}
	}()
	got, err := wait(ctx)
	if err == nil {
		return got, nil
	}
	select {
	case <-a.exited:
		return got, fmt.Errorf("the agent has ended (%w): %s", a.err, strings.TrimSpace(a.said.String()))
	default:
		return got, err
	}
}

// leave asks the agent to leave, and answers with how long that took.
func (a *agentProcess) leave() (time.Duration, error) {
	asked := time.Now()
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, fmt.Errorf("asking the agent to leave: %w", err)
	}
	timer := time.NewTimer(leaveTimeout)
	defer timer.Stop()
	select {
	case <-a.exited:
		took := time.Since(asked)
		if a.err != nil {
			return took, fmt.Errorf("the agent left badly (%w): %s", a.err, strings.TrimSpace(a.said.String()))
		}
		return took, nil
	case <-timer.C:
		return 0, fmt.Errorf("the agent is still there %v after SIGTERM", leaveTimeout)
	}
}

// end has the agent gone, by force where asking does not help. It may be called
// more than once.
func (a *agentProcess) end() error {
	select {
	case <-a.exited:
		a.kill()
		return nil
	default:
	}
	_, err := a.leave()
	a.kill()
	<-a.exited
	return err
}

// program is the binary to measure: the one that is named, or one built as it is
// released.
func program(ctx context.Context, named, dir string) (string, error) {
	if named != "" {
		path, err := filepath.Abs(named)
		if err != nil {
			return "", fmt.Errorf("finding %s: %w", named, err)
		}
		return path, nil
	}
	binary := filepath.Join(dir, "switchyard")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", binary,
		"github.com/switchyard-ci/switchyard/cmd/switchyard")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the program: %w: %s", err, bytes.TrimSpace(said))
	}
	return binary, nil
}
