package transport_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/internal/memnet"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// replicas are the replicas of one control plane, each with a network of its own, by host
// name and by address.
type replicas struct {
	networks map[string]*memnet.Network
	streams  map[string]*streamServer
	fails    map[string]http.HandlerFunc // in place of a replica
	servers  map[string]*http.Server
}

// newReplicas starts replicas on hosts. Each stream begins with a resume.
func newReplicas(t *testing.T, hosts ...string) *replicas {
	t.Helper()
	r := &replicas{
		networks: map[string]*memnet.Network{}, streams: map[string]*streamServer{}, fails: map[string]http.HandlerFunc{},
		servers: map[string]*http.Server{},
	}
	for _, host := range hosts {
		service, rest := newStreamServer(inOrder(send(resume()), hold))
		mux := http.NewServeMux()
		mux.Handle("/", rest)
		mux.Handle("/v3/ping", reply(200, `{}`))
		server := &http.Server{Protocols: new(http.Protocols), ReadHeaderTimeout: time.Minute, ErrorLog: quiet()}
		server.Protocols.SetHTTP1(true)
		server.Protocols.SetUnencryptedHTTP2(true)
		server.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if fail := r.fails[host]; fail != nil {
				fail(w, req)
				return
			}
			mux.ServeHTTP(w, req)
		})
		network := memnet.New()
		r.networks[host], r.streams[host], r.servers[host] = network, service, server
		served := make(chan error, 1)
		go func() { served <- server.Serve(network) }()
		t.Cleanup(func() {
			_ = server.Close()
			if err := <-served; !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("serving: %v", err)
			}
		})
	}
	return r
}

func (r *replicas) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	return r.networks[host].DialContext(ctx, network, address)
}

// transport returns a transport to the replicas, which is closed with the test.
func (r *replicas) transport(t *testing.T, options transport.Options) *transport.Transport {
	t.Helper()
	options.DialContext = r.dial
	client, err := transport.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// registeredAt returns the session of a new worker.
func registeredAt(t *testing.T, client *transport.Transport) *transport.Session {
	t.Helper()
	session, err := client.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// TestSeveralEndpoints breaks the endpoint in use, and pings twice: the second ping does
// not wait for the broken one again.
func TestSeveralEndpoints(t *testing.T) {
	rows := []struct {
		name   string
		fail   func(*replicas, string)
		took   time.Duration // by the first ping
		failed bool          // the first ping
	}{
		{"refused", func(r *replicas, host string) { r.networks[host].Refuse.Store(true); r.networks[host].Cut() }, 0, false},
		{"dark", func(r *replicas, host string) { r.networks[host].Hang.Store(true); r.networks[host].Cut() }, 3 * time.Second, false},
		{"frozen", func(r *replicas, host string) { r.networks[host].Dark.Store(true) }, 10 * time.Second, true},
		{"a proxy without a control plane", func(r *replicas, host string) { r.fails[host] = reply(502, "<html>Bad Gateway") }, 0, false},
		{"starting", func(r *replicas, host string) { r.fails[host] = reply(503, `{"message":"starting"}`) }, 0, true},
		{"refuses the worker", func(r *replicas, host string) { r.fails[host] = reply(401, `{"message":"no"}`) }, 0, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newReplicas(t, "a.test", "b.test")
				core, logs := observer.New(zapcore.InfoLevel)
				client := r.transport(t, transport.Options{
					Endpoints: []string{"http://a.test/v3", "http://b.test/v3"}, Logger: zap.New(core),
				})
				session := registeredAt(t, client)
				before := session.Endpoint()
				time.Sleep(time.Second) // a connection that was just opened is waited for
				row.fail(r, strings.TrimSuffix(strings.TrimPrefix(before, "http://"), "/v3"))
				synctest.Wait()
				begun := time.Now()
				if _, err := session.Ping(t.Context()); (err != nil) != row.failed || time.Since(begun) != row.took {
					t.Errorf("the first ping: %v after %v, want %v", err, time.Since(begun), row.took)
				}
				begun = time.Now()
				_, err := session.Ping(t.Context())
				if transport.Refused(err) { // by a control plane, for which no other endpoint is asked
					if session.Endpoint() != before || logs.FilterMessage("endpoint failed; using another one").Len() != 0 {
						t.Errorf("moved to %s", session.Endpoint())
					}
					return
				}
				if err != nil || time.Since(begun) != 0 || session.Endpoint() == before {
					t.Errorf("the second ping: %v after %v, at %s", err, time.Since(begun), session.Endpoint())
				}
				if n := logs.FilterMessage("endpoint failed; using another one").Len(); n != 1 {
					t.Errorf("logged %d times", n)
				}
			})
		})
	}
}

// TestStreamAtAnotherEndpoint breaks the endpoint of a stream: the next one is opened at
// another within a second, after the rest of the window of the process's first attempt.
func TestStreamAtAnotherEndpoint(t *testing.T) {
	const firstWindow = 10 * time.Millisecond
	rows := []struct {
		name string
		fail func(*replicas, string)
		most time.Duration // from the loss to the next message, but for firstWindow
	}{
		{"refused", func(r *replicas, host string) { r.networks[host].Refuse.Store(true); r.networks[host].Cut() }, time.Second},
		{"dark", func(r *replicas, host string) { r.networks[host].Hang.Store(true); r.networks[host].Cut() }, 4 * time.Second},
		{"frozen", func(r *replicas, host string) { r.networks[host].Dark.Store(true) }, time.Second},
		{"a proxy without a control plane", func(r *replicas, host string) {
			r.fails[host] = reply(502, "<html>Bad Gateway")
			r.networks[host].Cut()
		}, 2 * time.Second},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newReplicas(t, "a.test", "b.test")
				client := r.transport(t, transport.Options{
					Endpoints: []string{"http://a.test/v3", "http://b.test/v3"},
				})
				session := registeredAt(t, client)
				stream := run(t, session, transport.StreamOptions{})
				stream.until(t, 1)
				row.fail(r, strings.TrimSuffix(strings.TrimPrefix(session.Endpoint(), "http://"), "/v3"))
				events := stream.until(t, 3)
				if events[1].Kind != transport.StreamLost || events[2].Kind != transport.StreamMessage {
					t.Fatalf("got\n%s", lines(events))
				}
				if took := events[2].at - events[1].at; took > row.most+firstWindow {
					t.Errorf("%v from the loss to the next message, want at most %v", took, row.most+firstWindow)
				}
				if r.streams["a.test"].count() != 1 || r.streams["b.test"].count() != 1 {
					t.Errorf("%d and %d streams, want one each", r.streams["a.test"].count(), r.streams["b.test"].count())
				}
				stream.stop()
			})
		})
	}
}

// TestSeveralAddresses is about one endpoint whose name has two addresses, of which one
// becomes dark: calls and the stream go to the other one.
func TestSeveralAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReplicas(t, "192.0.2.1", "192.0.2.2")
		client := r.transport(t, transport.Options{
			Endpoints: []string{testEndpoint},
			Lookup: func(context.Context, string) ([]netip.Addr, error) {
				return []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}, nil
			},
		})
		session := registeredAt(t, client)
		stream := run(t, session, transport.StreamOptions{})
		stream.until(t, 1)
		dead, alive := "192.0.2.1", "192.0.2.2"
		if r.streams[dead].count() == 0 {
			dead, alive = alive, dead
		}
		r.networks[dead].Hang.Store(true)
		r.networks[dead].Cut()
		synctest.Wait()
		begun := time.Now()
		if _, err := session.Ping(t.Context()); err != nil || time.Since(begun) > time.Second {
			t.Errorf("a ping: %v after %v", err, time.Since(begun))
		}
		if events := stream.until(t, 3); events[2].at-events[1].at > 2*time.Second || r.streams[alive].count() != 1 {
			t.Errorf("%d streams at the other address, and\n%s", r.streams[alive].count(), lines(events))
		}
		stream.stop()
	})
}

// TestEndpointNamedByTheControlPlane checks that one of several endpoints is left for one
// that the control plane names, and that no other is used after that.
func TestEndpointNamedByTheControlPlane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReplicas(t, "a.test", "b.test", "new.test")
		for _, host := range []string{"a.test", "b.test"} {
			r.fails[host] = registeringWith(strings.TrimSuffix(registerAnswer, "}")+`,"endpoint":"http://new.test/v3"}`, reply(404, "")).ServeHTTP
		}
		client := r.transport(t, transport.Options{
			Endpoints: []string{"http://a.test/v3", "http://b.test/v3"},
		})
		session, err := client.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{})
		if err != nil || session.Endpoint() != "http://new.test/v3" {
			t.Fatalf("at %v, %v", session, err)
		}
		if _, err := session.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.networks["new.test"].Refuse.Store(true)
		r.networks["new.test"].Cut()
		synctest.Wait()
		if _, err := session.Ping(t.Context()); err == nil || session.Endpoint() != "http://new.test/v3" {
			t.Errorf("%v at %s", err, session.Endpoint())
		}
	})
}

// TestGroupsSpread checks that the groups of an agent begin at different endpoints.
func TestGroupsSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReplicas(t, "a.test", "b.test", "c.test")
		client := r.transport(t, transport.Options{
			Endpoints: []string{"http://a.test/v3", "http://b.test/v3", "http://c.test/v3"}, Groups: 3,
		})
		workers := map[string]int{}
		for range 6 {
			session := registeredAt(t, client)
			workers[session.Endpoint()]++
		}
		for endpoint, count := range workers {
			if count != 2 {
				t.Errorf("%d of 6 workers use %s", count, endpoint)
			}
		}
	})
}

// TestStreamMoves ends a stream as planned, with the request to open the next one
// elsewhere: it is opened at another endpoint, and only once for all workers of a group.
func TestStreamMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReplicas(t, "a.test", "b.test", "c.test")
		move := func(context.Context, *streamOut) error {
			err := connect.NewError(connect.CodeDeadlineExceeded, errors.New("planned end"))
			err.Meta().Set(wire.HeaderMove, "1")
			return err
		}
		for _, service := range r.streams {
			service.streams = []serve{inOrder(send(resume()), wait(time.Minute), move)}
		}
		client := r.transport(t, transport.Options{
			Endpoints: []string{"http://a.test/v3", "http://b.test/v3", "http://c.test/v3"},
		})
		var streams []*streamRun
		for range 2 {
			session := registeredAt(t, client)
			streams = append(streams, run(t, session, transport.StreamOptions{}))
		}
		time.Sleep(65 * time.Second)
		synctest.Wait()
		counts := map[int]int{}
		for _, service := range r.streams {
			counts[service.count()]++
		}
		if counts[2] != 2 || counts[0] != 1 {
			t.Errorf("streams at the replicas: %v, want two at the first and two at the second", counts)
		}
		for _, stream := range streams {
			if got, want := lines(stream.all()), "1 message first: resume\n1 ended\n2 message first: resume"; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			stream.stop()
		}
	})
}

// TestStreamPath checks where the stream is opened, and what is logged where a proxy
// serves the control plane below a path and the stream is opened outside of it.
func TestStreamPath(t *testing.T) {
	rows := []struct {
		name, endpoint, path string
		served               string // below which the stream is served
		log                  string // empty for a healthy stream
	}{
		{"at the root", "http://control.test/v3", "", "", ""},
		{
			"below a path, and opened at the root", "http://control.test/ci/v3", "", "/ci",
			"it was opened at http://control.test, outside of the endpoint's path /ci: if a proxy serves the control plane below that path, " +
				"set the stream's path (--stream-path /ci)",
		},
		{"below a path", "http://control.test/ci/v3", "/ci", "/ci", ""},
		{"with a slash at the end", "http://control.test/ci/v3", "/ci/", "/ci", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, streams := newStreamServer(inOrder(send(resume()), hold))
				mux := http.NewServeMux()
				mux.Handle(row.served+"/", http.StripPrefix(row.served, streams))
				harness := newHarness(t, mux, withEndpoint(row.endpoint), func(options *transport.Options, _ *http.Server) {
					options.StreamPath = row.path
				})
				stream := run(t, harness.register(t), transport.StreamOptions{})
				events := stream.until(t, 1)
				if row.log == "" {
					if events[0].Kind != transport.StreamMessage {
						t.Errorf("got %s", lines(events))
					}
					return
				}
				if events[0].Kind != transport.StreamRefused || !strings.HasSuffix(events[0].Err.Error(), row.log) {
					t.Errorf("got %s: %v", events[0], events[0].Err)
				}
			})
		})
	}
}
