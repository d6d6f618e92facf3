package agentstatus

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/switchyard-ci/switchyard/internal/agent"
)

// maxStatus bounds the status of an agent, in bytes: 1,000 workers with all their changes.
const maxStatus = 64 << 20

// Ask returns the status of the agent that serves it on a Unix socket. Its error wraps
// that of the connection, which is fs.ErrNotExist or ECONNREFUSED if no agent runs.
func Ask(ctx context.Context, path string) (status agent.Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://agent/status", http.NoBody)
	if err != nil {
		return status, fmt.Errorf("asking the agent at %s: %w", path, err)
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return status, fmt.Errorf("asking the agent at %s: %w", path, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return status, fmt.Errorf("asking the agent at %s: status %s", path, res.Status)
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxStatus)).Decode(&status); err != nil {
		return status, fmt.Errorf("reading the status of the agent at %s: %w", path, err)
	}
	return status, nil
}
