package dispatch

import (
	"context"
	"hash/maphash"
)

// maxTurns is how many names can have their turn at the same time.
const maxTurns = 64

// turns let those who name the same thing go one after another. Two names may
// share a turn, which costs them a wait and nothing else.
type turns struct {
	seed  maphash.Seed
	taken [maxTurns]chan struct{}
}

func newTurns() *turns {
	t := &turns{seed: maphash.MakeSeed()}
	for i := range t.taken {
		t.taken[i] = make(chan struct{}, 1)
	}
	return t
}

// take waits for the turn of a name; done ends it. It fails with the cause of the
// context's end.
func (t *turns) take(ctx context.Context, name string) (done func(), err error) {
	turn := t.taken[maphash.String(t.seed, name)%maxTurns]
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
