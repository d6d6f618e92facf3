package transport

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// asked is a server that takes a second to say what it speaks.
type asked struct {
	times int
	err   error
}

func (a *asked) ask(ctx context.Context, _ string) (http2, sure bool, err error) {
	a.times++
	select {
	case <-time.After(time.Second):
		return true, true, a.err
	case <-ctx.Done():
		return false, false, ctx.Err()
	}
}

// TestFindings shows that many who ask together, or lose their streams
// together, are one question to the server.
func TestFindings(t *testing.T) {
	const many = 50
	const address = "control.test:80"
	synctest.Test(t, func(t *testing.T) {
		server := &asked{}
		known := newFindings(nil)
		known.ask = server.ask
		together := func(do func(of finding)) {
			var all sync.WaitGroup
			for range many {
				all.Go(func() {
					found, err := known.of(t.Context(), address)
					if err != nil || !found.http2 {
						t.Errorf("got %+v, %v", found, err)
					}
					do(found)
				})
			}
			all.Wait()
		}
		var relied []finding
		var mu sync.Mutex
		together(func(of finding) {
			mu.Lock()
			defer mu.Unlock()
			relied = append(relied, of)
		})
		if server.times != 1 {
			t.Fatalf("asked %d times", server.times)
		}
		// All of them lose their streams; each forgets and asks again.
		for _, of := range relied {
			known.forget(address, of.generation)
			if _, err := known.of(t.Context(), address); err != nil {
				t.Fatal(err)
			}
		}
		if server.times != 2 {
			t.Errorf("asked %d times, want once more", server.times)
		}
	})
}

// TestFindingsOfOthers shows that a caller's end is that caller's alone.
func TestFindingsOfOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &asked{}
		known := newFindings(nil)
		known.ask = server.ask
		short, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() {
			if _, err := known.of(short, "a:80"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the short one got %v", err)
			}
		})
		synctest.Wait()
		all.Go(func() {
			if found, err := known.of(t.Context(), "a:80"); err != nil || !found.http2 {
				t.Errorf("the other got %+v, %v", found, err)
			}
		})
		all.Wait()
		server.err = errors.New("refused")
		if _, err := known.of(t.Context(), "b:80"); !errors.Is(err, server.err) {
			t.Errorf("got %v", err)
		}
	})
}
