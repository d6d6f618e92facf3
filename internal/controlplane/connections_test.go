package controlplane

import (
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
)

func TestConnectionsOf(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		files uint64
		want  int
	}{
		{0, 0},
		{256, 192},
		{1024, 768},
		{20_000, 18_976},
		{1 << 20, mostConnections},
		{1<<64 - 1, mostConnections}, // unlimited
	} {
		if got := connectionsOf(row.files); got != row.want {
			t.Errorf("%d files: %d connections, want %d", row.files, got, row.want)
		}
	}
}

// peer is a connection to a server with few connections.
type peer struct {
	net.Conn

	ended chan struct{} // closed with the connection
}

// newPeer returns a connection whose responses are read and dropped.
func newPeer(ln *pipeListener) *peer {
	p := &peer{Conn: ln.dial(), ended: make(chan struct{})}
	go func() {
		_, _ = io.Copy(io.Discard, p.Conn)
		close(p.ended)
	}()
	synctest.Wait()
	return p
}

// send sends something and waits until the server has dealt with it.
func (p *peer) send(t *testing.T, what string) {
	t.Helper()
	if _, err := io.WriteString(p, what); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
}

// A connection too many takes the place of one without a request, of which those go first
// that never had one. Those with a request stay, and then the new one is closed.
func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const quick, slow = "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n", "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
		release := make(chan struct{})
		core, logs := observer.New(zapcore.WarnLevel)
		ln := newPipeListener()
		server := newHTTPServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/quick" {
				<-release
			}
		}), 3, zap.New(core))
		served := make(chan error, 1)
		go func() { served <- server.Serve(ln) }()
		var all []*peer
		dial := func() *peer {
			all = append(all, newPeer(ln))
			return all[len(all)-1]
		}
		closed := func(p *peer, when string) {
			t.Helper()
			for _, other := range all {
				select {
				case <-other.ended:
					if other != p {
						t.Errorf("%s: another connection was closed", when)
					}
				default:
					if other == p {
						t.Errorf("%s: it is still open", when)
					}
				}
			}
			for i, other := range all {
				if other == p {
					all = append(all[:i], all[i+1:]...)
					break
				}
			}
		}
		stream := dial() // HTTP/2, with a request that lasts
		for _, frame := range []string{h2Preface, string(h2Frame(h2Settings, 0, 0, "")), string(h2Frame(h2Headers, h2EndStream|h2EndHeaders, 1, h2Get))} {
			stream.send(t, frame)
		}
		idle := dial()
		idle.send(t, quick)
		unused := dial()
		second := dial()
		closed(unused, "one that never had a request, when there are four")
		third := dial()
		closed(second, "one that never had a request, when there are four again")
		third.send(t, slow)
		fourth := dial()
		closed(idle, "one between two requests")
		fourth.send(t, slow)
		closed(dial(), "a new one, when each has a request")
		if n := logs.Len(); n != 1 {
			t.Errorf("%d lines were logged within %v", n, connectionsLogInterval)
		}
		time.Sleep(connectionsLogInterval)
		closed(dial(), "another new one")
		if last := logs.All()[logs.Len()-1].ContextMap(); logs.Len() != 2 || last["refused"] != int64(2) || last["max_connections"] != int64(3) {
			t.Errorf("logged %v", logs.All())
		}
		release <- struct{}{} // to the stream, which waits for the longest time
		synctest.Wait()
		close(release)
		synctest.Wait()
		fifth := dial()
		closed(stream, "the one that is idle for the longest time")
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		<-fifth.ended
	})
}
