package httpclient

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/internal/memnet"
)

// certified returns a certificate for example.com and the authority that it needs. It
// must be called outside of a synctest bubble.
func certified() (tls.Certificate, *x509.CertPool) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()
	authorities := x509.NewCertPool()
	authorities.AddCert(server.Certificate())
	return server.TLS.Certificates[0], authorities
}

// TestFewConnections sends many requests at once to a server that has just started, as
// the workers of an agent do when their control plane returns. Each request lasts until
// the server has all of them.
func TestFewConnections(t *testing.T) {
	const perConnection = 100
	certificate, authorities := certified()
	rows := []struct {
		name  string
		tls   bool
		http2 bool
		many  int64
		most  int64 // connections
	}{
		// The connection that asks for the protocol is one of them.
		{"HTTP/2", false, true, 400, 1 + 5},
		{"HTTP/2 over TLS", true, true, 400, 5},
		{"HTTP/1.1", false, false, 100, 1 + 100},
		{"HTTP/1.1 over TLS", true, false, 30, 35},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := memnet.New()
				var inside atomic.Int64
				all := make(chan struct{})
				server := &http.Server{Protocols: new(http.Protocols), ReadHeaderTimeout: time.Minute}
				server.Protocols.SetHTTP1(true)
				server.Protocols.SetHTTP2(row.http2)
				server.Protocols.SetUnencryptedHTTP2(row.http2)
				server.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: perConnection}
				server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
				server.Handler = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
					if inside.Add(1) == row.many {
						close(all)
					}
					<-all
				})
				var serving sync.WaitGroup
				serving.Go(func() {
					if row.tls {
						_ = server.ServeTLS(network, "", "")
					} else {
						_ = server.Serve(network)
					}
				})
				client := New(Options{
					DialContext: network.DialContext, DetectHTTP2: true,
					TLS: &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12},
				})
				defer serving.Wait()
				defer server.Close()
				defer client.Close()
				url := map[bool]string{true: "https://example.com/", false: "http://example.com/"}[row.tls]
				var requests sync.WaitGroup
				for range row.many {
					requests.Go(func() { get(t.Context(), t, client, url) })
				}
				requests.Wait()
				dials := network.Dials.Load()
				t.Logf("%d connections", dials)
				if dials > row.most {
					t.Errorf("%d connections, want at most %d", dials, row.most)
				}
			})
		})
	}
}

func get(ctx context.Context, t *testing.T, client *Client, url string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Error(err)
		return
	}
	response, err := client.Do(request)
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
}

// TestOneDialFailsForAll sends many requests at once to a host that cannot be reached:
// one of them finds that out, and for the others it is the same.
func TestOneDialFailsForAll(t *testing.T) {
	const many = 50
	rows := []struct {
		name  string
		fault func(*memnet.Network)
		took  time.Duration
		dials int64 // refusals come so fast that no two attempts overlap
		err   error
	}{
		{"refused", func(n *memnet.Network) { n.Refuse.Store(true) }, 0, many, syscall.ECONNREFUSED},
		{"dark", func(n *memnet.Network) { n.Hang.Store(true) }, 3 * time.Second, 1, context.DeadlineExceeded},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				network := memnet.New()
				row.fault(network)
				client := New(Options{DialContext: network.DialContext, DialTimeout: 3 * time.Second})
				defer client.Close()
				begun := time.Now()
				var requests sync.WaitGroup
				for range many {
					requests.Go(func() {
						request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com/", http.NoBody)
						if err != nil {
							t.Error(err)
							return
						}
						if _, err := client.Do(request); !errors.Is(err, row.err) { //nolint:bodyclose // there is none
							t.Errorf("got %v, want %v", err, row.err)
						}
					})
				}
				requests.Wait()
				if took := time.Since(begun); took != row.took || network.Dials.Load() > row.dials {
					t.Errorf("took %v with %d attempts to connect, want %v with %d", took, network.Dials.Load(), row.took, row.dials)
				}
			})
		})
	}
}
