package dispatch

import (
	"context"
	"sync"
)

// background runs goroutines until stop. None starts after that.
type background struct {
	ctx    context.Context //nolint:containedctx // of the goroutines, not of a call
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	stopped bool
}

func newBackground(ctx context.Context) *background {
	b := &background{}
	b.ctx, b.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return b
}

// run runs f in a goroutine. The context of f ends with stop.
func (b *background) run(f func(ctx context.Context)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.stopped {
		b.wg.Go(func() { f(b.ctx) })
	}
}

// stop ends the goroutines with a cause and waits for them.
func (b *background) stop(cause error) {
	b.mu.Lock()
	b.stopped = true
	b.mu.Unlock()
	b.cancel(cause)
	b.wg.Wait()
}
