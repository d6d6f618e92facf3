package profiles

import (
	"context"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/switchyard-ci/switchyard/internal/memnet"
)

// serverLimit is the time limit of the server for a request: shorter than the longest profile.
const serverLimit = 20 * time.Second

// bed is a server of the profiles on a network in memory, for a synctest bubble.
type bed struct {
	t      *testing.T
	client *http.Client
}

// start returns a bed that is closed at the end of the test.
func start(t *testing.T) *bed {
	t.Helper()
	mux := http.NewServeMux()
	for path, handler := range Handlers(zaptest.NewLogger(t)) {
		mux.Handle("GET "+path, handler)
	}
	network := memnet.New()
	server := &http.Server{Handler: mux, ReadTimeout: serverLimit, WriteTimeout: serverLimit}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(network) })
	transport := &http.Transport{DialContext: network.DialContext}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		serving.Wait()
	})
	return &bed{t, &http.Client{Transport: transport}}
}

// get returns the status and the body of a response.
func (b *bed) get(ctx context.Context, target string) (int, string, error) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://server"+target, http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	res, err := b.client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, string(body), err
}

// want fails the test if a response has another status.
func (b *bed) want(status int, target string) {
	b.t.Helper()
	if got, body, err := b.get(b.t.Context(), target); err != nil || got != status {
		b.t.Errorf("%s: status %d, %q, %v, want %d", target, got, body, err, status)
	}
}

// isBinary reports whether a profile is one for `go tool pprof`, which is compressed.
func isBinary(profile string) bool { return strings.HasPrefix(profile, "\x1f\x8b") }

func TestSecondsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t)
		for _, path := range Paths() {
			for _, seconds := range []string{"0", "-1", "61", "1.5", "99999999999999999999", "x"} {
				b.want(http.StatusBadRequest, path+"?seconds="+seconds)
			}
		}
		b.want(http.StatusOK, HeapPath) // none of them has begun
	})
}

// The longest profile lasts longer than the server has for other requests. Meanwhile another
// is refused, of any kind.
func TestOneProfileAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, began := start(t), time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			status, body, err := b.get(t.Context(), HeapPath+"?seconds="+strconv.Itoa(MaxSeconds))
			if took := time.Since(began); err != nil || status != http.StatusOK || !isBinary(body) || took != MaxSeconds*time.Second {
				t.Errorf("status %d, %q, %v, after %v", status, body, err, took)
			}
		})
		time.Sleep(MaxSeconds*time.Second - time.Nanosecond)
		for _, path := range Paths() {
			b.want(http.StatusTooManyRequests, path)
		}
		wg.Wait()
		b.want(http.StatusOK, HeapPath)
	})
}

// When the caller has gone, another may take a profile.
func TestCanceledProfileEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := start(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if status, _, err := b.get(ctx, HeapPath+"?seconds=60"); err == nil {
			t.Errorf("status %d of a request that was canceled", status)
		}
		synctest.Wait()
		b.want(http.StatusOK, HeapPath)
	})
}

// Waits are recorded while their profile is taken, for ten seconds by default, and no longer.
func TestWaitsAreRecordedMeanwhile(t *testing.T) {
	for _, path := range []string{MutexPath, BlockPath} {
		synctest.Test(t, func(t *testing.T) {
			b, began := start(t), time.Now()
			var wg sync.WaitGroup
			wg.Go(func() {
				if status, body, err := b.get(t.Context(), path); err != nil || status != http.StatusOK || !isBinary(body) {
					t.Errorf("%s: status %d, %q, %v", path, status, body, err)
				}
			})
			time.Sleep(time.Second)
			if fraction := runtime.SetMutexProfileFraction(-1); (fraction != 0) != (path == MutexPath) {
				t.Errorf("%s: one of %d contended locks is recorded meanwhile", path, fraction)
			}
			wg.Wait()
			if took := time.Since(began); took != 10*time.Second {
				t.Errorf("%s took %v", path, took)
			}
			if fraction := runtime.SetMutexProfileFraction(-1); fraction != 0 {
				t.Errorf("%s: one of %d contended locks is recorded afterwards", path, fraction)
			}
		})
	}
}
