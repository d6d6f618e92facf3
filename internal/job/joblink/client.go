package joblink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// responseTimeout is longer than the server may take for a request, plus the
// wait for a free connection.
const responseTimeout = 30 * time.Second

// Redact asks the agent at an address, the value of [Variable], to hide secrets in the
// log of the job. After it has returned nil, what the job writes is free of them.
func Redact(ctx context.Context, address string, secrets []string) error {
	ctx, cancel := context.WithTimeout(ctx, responseTimeout)
	defer cancel()
	path, key, _ := strings.Cut(address, keySeparator)
	req := request{Key: key, Redact: make([][]byte, len(secrets))}
	for i, secret := range secrets {
		req.Redact[i] = []byte(secret)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("connecting to the agent: %w", causeOf(ctx, err))
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := json.NewEncoder(conn).Encode(req); err != nil {
		return fmt.Errorf("sending the request to the agent: %w", causeOf(ctx, err))
	}
	var resp response
	if err := json.NewDecoder(conn).Decode(&resp); err != nil {
		return fmt.Errorf("waiting for the agent's response: %w", causeOf(ctx, err))
	}
	if resp.Error != "" {
		return fmt.Errorf("refused by the agent: %w", errors.New(resp.Error))
	}
	return nil
}

// causeOf returns the cause of ctx if it has ended, which closes the connection,
// or else err.
func causeOf(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
