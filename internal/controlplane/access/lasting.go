package access

import (
	"context"
	"errors"
	"time"
)

// checkEvery is how often AwaitEnd looks whether a token has expired, or was replaced in
// its file.
const checkEvery = 15 * time.Second

// AwaitEnd returns when a token is refused any more, with ErrRefused, or the context's
// error: at once when this replica sees that it was revoked, and within 15 s when it has
// expired or was replaced in its file. It is for calls that last.
func (t *Tokens) AwaitEnd(ctx context.Context, presented string) error {
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for {
		news := t.next()
		if _, err := t.Authenticate(ctx, presented); errors.Is(err, ErrRefused) {
			return err
		}
		select {
		case <-news:
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// next returns a channel that is closed with the next change of a token.
func (t *Tokens) next() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.news
}
