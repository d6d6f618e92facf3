package metadata

import (
	"context"
	"hash/maphash"
)

// lockCount is how many keys can be locked at the same time.
const lockCount = 64

// keyLocks are locks by key. Two keys may share a lock.
type keyLocks struct {
	seed  maphash.Seed
	locks [lockCount]chan struct{}
}

func newKeyLocks() *keyLocks {
	l := &keyLocks{seed: maphash.MakeSeed()}
	for i := range l.locks {
		l.locks[i] = make(chan struct{}, 1)
	}
	return l
}

// lock waits for the lock of a key. It fails with the context's cause.
func (l *keyLocks) lock(ctx context.Context, key string) (unlock func(), err error) {
	lock := l.locks[maphash.String(l.seed, key)%lockCount]
	select {
	case lock <- struct{}{}:
		return func() { <-lock }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
