package access

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// useInterval is the shortest time between two stored uses of a token.
const useInterval = time.Minute

// run runs f in a goroutine, unless the tokens are closed.
func (t *Tokens) run(f func(ctx context.Context)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.wg.Go(func() { f(t.ctx) })
	}
}

// load begins to follow the stored tokens, and waits until the present ones are
// known. The watch ends with the tokens or the store: once it has begun it goes on
// through every interruption.
func (t *Tokens) load(ctx context.Context) error {
	caughtUp, failed := make(chan struct{}), make(chan error, 1)
	t.run(func(ctx context.Context) {
		err := t.st.WatchAccessTokens(ctx, caughtUp, t.changed)
		failed <- err
		if ctx.Err() == nil {
			t.log.Warn("failed to follow the tokens", zap.Error(err))
		}
	})
	select {
	case <-caughtUp:
		return nil
	case err := <-failed:
		return fmt.Errorf("reading the tokens: %w", err)
	case <-ctx.Done():
		return fmt.Errorf("reading the tokens: %w", context.Cause(ctx))
	}
}

// changed applies a record of the watch.
func (t *Tokens) changed(named record.AccessToken, err error) {
	if err != nil {
		t.log.Error("skipped a damaged record", zap.Error(err))
		return
	}
	t.apply(named)
}

// noteUse stores that a token was used now, unless that was done a moment ago. It
// does not wait: a use is news for people, and no call depends on it.
func (t *Tokens) noteUse(named record.AccessToken) {
	now := t.now()
	t.mu.Lock()
	last, ok := t.used[named.ID]
	due := (!ok || now.Sub(last) >= useInterval) && now.Sub(named.LastUsedAt) >= useInterval
	if due {
		t.used[named.ID] = now
	}
	t.mu.Unlock()
	if !due {
		return
	}
	t.run(func(ctx context.Context) {
		named.LastUsedAt = now.UTC()
		stored, err := t.st.PutAccessToken(ctx, named)
		switch {
		case err == nil:
			t.apply(stored)
		case errors.Is(err, store.ErrConflict): // another replica stored a use, or it was revoked
		default:
			t.log.Debug("failed to store the use of a token", zap.String("token_id", named.ID), zap.Error(err))
		}
	})
}
