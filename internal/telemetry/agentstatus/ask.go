package agentstatus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"syscall"

	"github.com/switchyard-ci/switchyard/internal/agent"
)

// maxStatus bounds the status of an agent, in bytes: 1,000 workers with all their changes.
const maxStatus = 64 << 20

// ErrNoAgent means that nothing serves the socket: the agent starts, or has ended.
var ErrNoAgent = errors.New("no agent runs there")

// Ask returns the status of the agent that serves it on a Unix socket. It waits at most ten
// seconds. The error wraps ErrNoAgent if nothing serves the socket.
func Ask(ctx context.Context, path string) (status agent.Status, err error) {
	err = call(ctx, http.MethodGet, path, "/status", &status)
	return status, err
}

// Flush makes the agent write the history of its workers to its files. It waits, and fails,
// as Ask does.
func Flush(ctx context.Context, path string) error {
	return call(ctx, http.MethodPost, path, "/flush", &struct{}{})
}

func call(ctx context.Context, method, path, route string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://agent"+route, http.NoBody)
	if err != nil {
		return fmt.Errorf("asking the agent at %s: %w", path, err)
	}
	res, err := transport.RoundTrip(req)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		err = fmt.Errorf("%w: %w", ErrNoAgent, err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("asking the agent at %s: no response within %v: its process is stopped, or hangs: %w", path, requestTimeout, err)
	}
	if err != nil {
		return fmt.Errorf("asking the agent at %s: %w", path, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("asking the agent at %s: status %s", path, res.Status)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxStatus)).Decode(into); err != nil {
		return fmt.Errorf("reading the response of the agent at %s: %w", path, err)
	}
	return nil
}
