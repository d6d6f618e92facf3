package transport

import (
	"context"
	"sync"
)

// finding is what is known about the protocol of an http server.
type finding struct {
	http2      bool // it speaks HTTP/2 without TLS
	sure       bool // it said so, one way or the other
	generation uint64
}

// findings remembers which http servers speak HTTP/2 without TLS. The first
// request to a server asks; others wait for that answer.
type findings struct {
	ask func(ctx context.Context, address string) (http2, sure bool, err error)

	mu         sync.Mutex
	known      map[string]finding
	asking     map[string]chan struct{} // closed when the answer, or none, is there
	generation uint64
}

func newFindings(dial dialFunc) *findings {
	return &findings{
		ask: func(ctx context.Context, address string) (bool, bool, error) {
			return probe(ctx, dial, address)
		},
		known:  make(map[string]finding),
		asking: make(map[string]chan struct{}),
	}
}

// of is the finding about the server at an address (host:port). The error is
// that of connecting to it.
func (f *findings) of(ctx context.Context, address string) (finding, error) {
	for {
		f.mu.Lock()
		if found, ok := f.known[address]; ok {
			f.mu.Unlock()
			return found, nil
		}
		wait, busy := f.asking[address]
		if !busy {
			f.asking[address] = make(chan struct{})
			f.mu.Unlock()
			return f.find(ctx, address)
		}
		f.mu.Unlock()
		select {
		case <-wait:
			// Found, or not: then this request asks for itself, so that one
			// caller's end or bad luck is not everybody's.
		case <-ctx.Done():
			return finding{}, context.Cause(ctx)
		}
	}
}

func (f *findings) find(ctx context.Context, address string) (finding, error) {
	http2, sure, err := f.ask(ctx, address)

	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.asking[address])
	delete(f.asking, address)
	if err != nil {
		return finding{}, err
	}
	f.generation++
	found := finding{http2: http2, sure: sure, generation: f.generation}
	f.known[address] = found
	return found, nil
}

// forget drops a finding that a request of that generation relied on. A newer
// finding stays: of many streams lost together, one asks again for all.
func (f *findings) forget(address string, generation uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known[address].generation == generation {
		delete(f.known, address)
	}
}

// forgetUnsure drops findings about servers that did not say what they speak.
func (f *findings) forgetUnsure() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for address, found := range f.known {
		if !found.sure {
			delete(f.known, address)
		}
	}
}
