package transport_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/transport"
)

// newLoopback returns a session with a control plane on loopback.
func newLoopback(b *testing.B, handler http.Handler, secure bool) *transport.Session {
	b.Helper()
	server := httptest.NewUnstartedServer(handler)
	options := transport.Options{}
	if secure {
		server.EnableHTTP2 = true
		server.StartTLS()
		trusting, ok := server.Client().Transport.(*http.Transport)
		if !ok {
			b.Fatal("httptest has changed")
		}
		options.TLS = trusting.TLSClientConfig
	} else {
		server.Config.Protocols = new(http.Protocols)
		server.Config.Protocols.SetHTTP1(true)
		server.Config.Protocols.SetUnencryptedHTTP2(true)
		server.Start()
	}
	b.Cleanup(server.Close)
	options.Endpoints = []string{server.URL + "/v3"}
	client, err := transport.New(options)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(client.Close)
	session, err := client.Register(b.Context(), func() string { return registrationToken }, wire.RegisterRequest{})
	if err != nil {
		b.Fatal(err)
	}
	return session
}

var links = []struct {
	name   string
	secure bool
}{{"h2c", false}, {"TLS", true}}

func BenchmarkPing(b *testing.B) {
	for _, link := range links {
		b.Run(link.name, func(b *testing.B) {
			session := newLoopback(b, registering(reply(200, `{}`)), link.secure)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := session.Ping(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMessageToAccept measures a job from its message on the stream to the response
// to its accept.
func BenchmarkMessageToAccept(b *testing.B) {
	for _, link := range links {
		b.Run(link.name, func(b *testing.B) {
			send := make(chan struct{})
			message := assign(&agentedgev1.Job{Id: "j1"})
			_, streams := newStreamServer(func(ctx context.Context, out *streamOut) error {
				for {
					select {
					case <-send:
					case <-ctx.Done():
						return ctx.Err()
					}
					if err := out.Send(message); err != nil {
						return err
					}
				}
			})
			mux := http.NewServeMux()
			mux.Handle("/", streams)
			accepted := make(chan struct{}, 1)
			mux.HandleFunc("PUT /v3/jobs/j1/accept", func(w http.ResponseWriter, r *http.Request) {
				accepted <- struct{}{}
				reply(200, `{"id":"j1","chunks_max_size_bytes":1000}`)(w, r)
			})
			session := newLoopback(b, mux, link.secure)
			ctx, cancel := context.WithCancel(b.Context())
			assigned, done := make(chan struct{}, 1), make(chan struct{})
			go func() {
				defer close(done)
				session.RunStream(ctx, transport.StreamOptions{}, func(event transport.StreamEvent) {
					if event.Kind == transport.StreamMessage {
						assigned <- struct{}{}
					}
				})
			}()
			defer func() { cancel(); <-done }()
			b.ReportAllocs()
			for b.Loop() {
				send <- struct{}{}
				<-assigned
				if _, err := session.Accept(b.Context(), "j1"); err != nil {
					b.Fatal(err)
				}
				<-accepted
			}
		})
	}
}

func BenchmarkChunk(b *testing.B) {
	session := newLoopback(b, registering(reply(200, ``)), false)
	job := session.Job(wire.Job{ID: "j1"})
	data := bytes.Repeat([]byte("2026-08-21T12:00:00Z building package transport\n"), 2000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if err := job.Chunk(b.Context(), wire.Chunk{Sequence: 1, Data: data}); err != nil {
			b.Fatal(err)
		}
	}
}
