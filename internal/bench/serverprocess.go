package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/datadir"
	"github.com/switchyard-ci/switchyard/internal/freeport"
)

const (
	serverReady = 5 * time.Minute // the longest wait for the start
	serverPoll  = 20 * time.Millisecond
	// serverLeave is the longest wait for the end, with thousands of streams.
	serverLeave = time.Minute
)

// serverProcess is a process of the program that runs a control plane.
type serverProcess struct {
	cmd     *exec.Cmd
	stderr  *bytes.Buffer // read only after the end
	url     string
	dir     string
	started time.Time
	exited  chan error
}

// freeAddress returns an address of this machine that nothing listens on.
func freeAddress(ctx context.Context) (string, error) {
	addresses, err := freeport.Addresses(ctx, 1)
	if err != nil {
		return "", err //nolint:wrapcheck // it is complete
	}
	return addresses[0], nil
}

// newServer starts a control plane with an empty store of its own, whose directory begins
// with a name, and waits until it serves.
func (l *lab) newServer(ctx context.Context, name string) (*serverProcess, error) {
	dir, err := os.MkdirTemp(l.dir, name+"-")
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	s, err := startServer(ctx, l.binary, filepath.Join(dir, "data"), 0)
	if err != nil {
		return nil, err
	}
	if _, err := s.ready(ctx); err != nil {
		return nil, errors.Join(err, s.end())
	}
	return s, nil
}

// stateBlocks is how many files of the stored state can have a delay: more than a run
// fills.
const stateBlocks = 100

// slowDisk returns a command that runs a control plane with a data directory of which each
// sync of the stored state takes that much longer, as on a slower disk: strace(1) adds it.
// It names the files, because a sync of one that is in memory takes no time on any disk.
func slowDisk(dir string, delay time.Duration) []string {
	// -D makes strace the child, so that the process is the control plane.
	files := make([]string, 0, 2*stateBlocks)
	for n := range stateBlocks {
		files = append(files, "-P", filepath.Join(dir, "jetstream", "jetstream", "$G", "streams", "SWITCHYARD_STATE", "msgs",
			fmt.Sprintf("%d.blk", n+1)))
	}
	return append([]string{
		"strace", "-D", "-f", "--seccomp-bpf", "-o", os.DevNull, "-e", "trace=fsync", "-e",
		fmt.Sprintf("inject=fsync:delay_exit=%d", delay.Microseconds()),
	}, files...)
}

// startServer starts a control plane and does not wait for it. If delay is not zero, the
// syncs of its state take that much longer.
func startServer(ctx context.Context, binary, dir string, delay time.Duration) (*serverProcess, error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	return startServerAt(ctx, binary, dir, address, delay)
}

// startServerAt is startServer with an address.
func startServerAt(ctx context.Context, binary, dir, address string, delay time.Duration) (*serverProcess, error) {
	command := []string{binary, "server", wordStart, "--data-dir", dir, "--listen", address, "--log-level", "error"}
	if delay > 0 {
		command = append(slowDisk(dir, delay), command...)
	}
	return startProcess(ctx, command, dir, address)
}

// startProcess starts a program that serves an address, and does not wait for it.
func startProcess(ctx context.Context, command []string, dir, address string) (*serverProcess, error) {
	s := &serverProcess{stderr: &bytes.Buffer{}, url: "http://" + address, dir: dir, exited: make(chan error, 1)}
	s.cmd = exec.CommandContext(ctx, command[0], command[1:]...)
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
	ctx, cancel := context.WithTimeout(ctx, serverReady)
	defer cancel()
	caller := &http.Client{Timeout: serverReady}
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
		if err := pause(ctx, serverPoll); err != nil {
			return 0, err
		}
	}
}

// address returns the host and port of the control plane.
func (s *serverProcess) address() string { return strings.TrimPrefix(s.url, "http://") }

// token returns the token in a file of the data directory.
func (s *serverProcess) token(file string) (string, error) {
	token, err := os.ReadFile(filepath.Join(s.dir, file))
	if err != nil {
		return "", fmt.Errorf("reading the token: %w", err)
	}
	return string(bytes.TrimSpace(token)), nil
}

// client returns a client of the control plane. The caller must close it.
func (s *serverProcess) client() (*client.Client, error) {
	token, err := s.token(datadir.AdminTokenFile)
	if err != nil {
		return nil, err
	}
	c, err := client.New(client.Options{Endpoints: []string{s.url}, Token: token})
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	return c, nil
}

// end ends the control plane.
func (s *serverProcess) end() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("ending the control plane: %w", err)
	}
	select {
	case err := <-s.exited:
		return err
	case <-time.After(serverLeave):
		return errors.Join(errors.New("the control plane still runs after SIGTERM"), s.cmd.Process.Kill())
	}
}
