package httpclient

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slowServer takes a second to respond to the question for HTTP/2.
type slowServer struct {
	times int
	err   error
}

func (s *slowServer) ask(ctx context.Context, _ string) (http2, certain bool, err error) {
	s.times++
	select {
	case <-time.After(time.Second):
		return true, true, s.err
	case <-ctx.Done():
		return false, false, ctx.Err()
	}
}

// TestProtocolIsAskedOnce shows that many requests that ask together, or lose their
// streams together, ask the server once.
func TestProtocolIsAskedOnce(t *testing.T) {
	const many = 50
	const address = "control.test:80"
	synctest.Test(t, func(t *testing.T) {
		server := &slowServer{}
		cache := newProtocolCache(nil)
		cache.ask = server.ask
		var used []protocol
		var mu sync.Mutex
		var all sync.WaitGroup
		for range many {
			all.Go(func() {
				found, err := cache.of(t.Context(), address)
				if err != nil || !found.http2 {
					t.Errorf("got %+v, %v", found, err)
				}
				mu.Lock()
				defer mu.Unlock()
				used = append(used, found)
			})
		}
		all.Wait()
		if server.times != 1 {
			t.Fatalf("asked %d times", server.times)
		}
		// All of them lose their streams; each one forgets the protocol and asks again.
		for _, found := range used {
			cache.forget(address, found.foundAt)
			if _, err := cache.of(t.Context(), address); err != nil {
				t.Fatal(err)
			}
		}
		if server.times != 2 {
			t.Errorf("asked %d times, want once more", server.times)
		}
	})
}

// TestProtocolAfterCancellation shows that the end of one caller's context does not
// fail the others.
func TestProtocolAfterCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &slowServer{}
		cache := newProtocolCache(nil)
		cache.ask = server.ask
		short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := cache.of(short, "a:80"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the canceled caller got %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			if found, err := cache.of(t.Context(), "a:80"); err != nil || !found.http2 {
				t.Errorf("the other caller got %+v, %v", found, err)
			}
		})
		all.Wait()
		server.err = errors.New("refused")
		if _, err := cache.of(t.Context(), "b:80"); !errors.Is(err, server.err) {
			t.Errorf("got %v", err)
		}
	})
}

// FuzzSettings shows that only a valid first frame counts as HTTP/2.
func FuzzSettings(f *testing.F) {
	f.Add([]byte(emptySettings))
	f.Add([]byte("HTTP/1.1 400 Bad Request"))
	f.Add([]byte("\x00\x00\x00\x04\x01\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		var header [frameHeaderSize]byte
		copy(header[:], content)
		if isSettings(header) && (header[3] != frameSettings || header[0] != 0 || !bytes.Equal(header[5:], make([]byte, 4))) {
			t.Errorf("%x counts as HTTP/2", header)
		}
	})
}
