package joblink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"time"
)

// answerTime is how long an answer may take: longer than the server takes for a
// request, with some before it.
const answerTime = 30 * time.Second

// Redact has the agent hide secrets in the log of the job whose socket is at
// path. When it returns without an error, all that the job writes from then on
// is free of them.
func Redact(ctx context.Context, path string, secrets []string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	asked := request{Redact: make([][]byte, len(secrets))}
	for i, secret := range secrets {
		asked.Redact[i] = []byte(secret)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("reaching the agent: %w", because(ctx, err))
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := json.NewEncoder(conn).Encode(asked); err != nil {
		return fmt.Errorf("asking the agent: %w", because(ctx, err))
	}
	var said answer
	if err := json.NewDecoder(conn).Decode(&said); err != nil {
		return fmt.Errorf("waiting for the agent's answer: %w", because(ctx, err))
	}
	if said.Error != "" {
		return fmt.Errorf("the agent refuses: %w", errors.New(said.Error))
	}
	return nil
}

// because is why a connection failed, which the end of ctx closes.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
