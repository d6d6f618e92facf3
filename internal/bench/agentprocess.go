package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// joinTimeout bounds the time until the streams of an agent are open.
	joinTimeout = 60 * time.Second
	// leaveTimeout bounds the time from SIGTERM to the end of an agent.
	leaveTimeout = 15 * time.Second
)

// agentProcess is a process of the program that runs an agent.
type agentProcess struct {
	cmd     *exec.Cmd
	kill    context.CancelFunc
	stderr  *bytes.Buffer // read only after exited is closed
	started time.Time
	exited  chan struct{}
	err     error // set before exited is closed
}

// startAgent starts an agent and does not wait for its workers. An empty endpoint
// means that of the control plane. The flags are passed to the agent.
func (b *testbed) startAgent(ctx context.Context, binary, endpoint string, workers int, flags ...string) (*agentProcess, error) {
	if endpoint == "" {
		endpoint = b.server.URL()
	}
	args := []string{
		"agent", wordStart, "--endpoint", endpoint + wire.Prefix, "--token-file", b.tokenFile,
		"--spawn", strconv.Itoa(workers), "--name", "bench", "--log-level", "error",
		"--data-dir", b.dir, "--build-path", filepath.Join(b.dir, "builds"),
	}
	if b.certFile != "" {
		args = append(args, "--ca-file", b.certFile)
	}
	a, err := launch(ctx, slices.Concat([]string{binary}, args, flags), nil)
	if err == nil {
		b.agents = append(b.agents, a)
	}
	return a, err
}

// launch starts a program, with variables beside those of this process.
func launch(ctx context.Context, argv, env []string) (*agentProcess, error) {
	ctx, kill := context.WithCancel(ctx)
	a := &agentProcess{kill: kill, stderr: &bytes.Buffer{}, exited: make(chan struct{})}
	a.cmd = exec.CommandContext(ctx, argv[0], argv[1:]...)
	// Settings in the environment must not change the measurement.
	a.cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "SWITCHYARD_") || strings.HasPrefix(v, "OTEL_") || strings.HasPrefix(v, wire.EnvPrefix)
	}), env...)
	a.cmd.Stderr = a.stderr
	a.started = time.Now()
	if err := a.cmd.Start(); err != nil {
		kill()
		return nil, fmt.Errorf("starting an agent: %w", err)
	}
	go func() {
		defer close(a.exited)
		a.err = a.cmd.Wait()
	}()
	return a, nil
}

// join starts an agent and waits for the first message on the stream of each
// worker. It returns their times by worker.
func (b *testbed) join(
	ctx context.Context, binary, endpoint string, workers int, flags ...string,
) (*agentProcess, map[string]time.Time, error) {
	w := b.probe.subscribe()
	defer b.probe.unsubscribe(w)
	a, err := b.startAgent(ctx, binary, endpoint, workers, flags...)
	if err != nil {
		return nil, nil, err
	}
	first, err := a.waitUnlessEnded(ctx, joinTimeout, func(ctx context.Context) (map[string]time.Time, error) {
		return firstMessages(ctx, w, workers)
	})
	return a, first, err
}

// waitUnlessEnded calls wait, and cancels its context when the agent ends.
func (a *agentProcess) waitUnlessEnded(
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
		return got, fmt.Errorf("the agent has ended (%w): %s", a.err, strings.TrimSpace(a.stderr.String()))
	default:
		return got, err
	}
}

// leave sends SIGTERM to the agent and waits for its end. It returns how long that
// took.
func (a *agentProcess) leave() (time.Duration, error) {
	signaled := time.Now()
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, fmt.Errorf("sending SIGTERM to the agent: %w", err)
	}
	timer := time.NewTimer(leaveTimeout)
	defer timer.Stop()
	select {
	case <-a.exited:
		took := time.Since(signaled)
		if a.err != nil {
			return took, fmt.Errorf("the agent failed while leaving (%w): %s", a.err, strings.TrimSpace(a.stderr.String()))
		}
		return took, nil
	case <-timer.C:
		return 0, fmt.Errorf("the agent still runs %v after SIGTERM", leaveTimeout)
	}
}

// end ends the agent, with SIGKILL if SIGTERM does not work. It may be called more
// than once.
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

// program returns the path of the binary to measure: the named one, or a new one of the
// program name, built as for a release.
func program(ctx context.Context, named, dir, name string) (string, error) {
	if named != "" {
		path, err := filepath.Abs(named)
		if err != nil {
			return "", fmt.Errorf("finding %s: %w", named, err)
		}
		return path, nil
	}
	binary, source := filepath.Join(dir, name), "github.com/switchyard-ci/switchyard/cmd/"+name
	profile, err := releaseProfile(ctx, source)
	if err != nil {
		return "", err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-pgo", profile, "-o", binary, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the program: %w: %s", err, bytes.TrimSpace(output))
	}
	return binary, nil
}

// releaseProfile returns the -pgo of a release of the program in a package: the profile beside
// its source, or off if it has none.
func releaseProfile(ctx context.Context, source string) (string, error) {
	dir, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", source).Output()
	if err != nil {
		return "", fmt.Errorf("finding the source of the program: %w", err)
	}
	file := filepath.Join(strings.TrimSpace(string(dir)), "release.pgo")
	_, err = os.Stat(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "off", nil
	case err != nil:
		return "", fmt.Errorf("finding the profile of the program: %w", err)
	}
	return file, nil
}
