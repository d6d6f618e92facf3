package worldtest

import (
	"context"
	"io"
	"log"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/admission"
	"github.com/switchyard-ci/switchyard/internal/controlplane/agentwire"
	"github.com/switchyard-ci/switchyard/internal/controlplane/api"
	"github.com/switchyard-ci/switchyard/internal/controlplane/audit"
	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/memnet"
)

// The tokens of the control plane.
const (
	registrationToken = "registration-of-the-world"
	adminToken        = "admin-of-the-world"
)

// worldTerms are short, so that a few minutes of a world show every one of them expire,
// except the last.
var worldTerms = schedule.Terms{
	LeaseTimeout: 30 * time.Second, AssignTimeout: 10 * time.Second, StartTimeout: 8 * time.Second,
	AbsenceTimeout: 30 * time.Second, SilenceTimeout: 3 * time.Minute, HoldTimeout: time.Hour,
}

const (
	pingInterval      = 2 * time.Second
	heartbeatInterval = 10 * time.Second
	statusInterval    = time.Second
	keepAlive         = 10 * time.Second
	streamMaxAge      = 5 * time.Minute
)

// replica is one process of the control plane, on a network in memory for each client.
type replica struct {
	store      *store.Store
	dispatcher *dispatch.Dispatcher
	tokens     *access.Tokens
	audit      *audit.Log
	server     *http.Server
	serving    sync.WaitGroup

	mu       sync.Mutex
	down     bool
	networks []*memnet.Network
}

// startReplica starts a replica on the storage. The faults stand in front of it.
func startReplica(ctx context.Context, s *storage, terms schedule.Terms, clock zapcore.Clock, f *faults, logger *zap.Logger) (*replica, error) {
	st, err := store.Open(ctx, store.Options{Server: s, Logger: logger.Named("store")})
	if err != nil {
		return nil, err
	}
	d, err := dispatch.New(ctx, st, dispatch.Options{Terms: terms, Clock: clock, Logger: logger.Named("dispatch")})
	if err != nil {
		st.Close()
		return nil, err
	}
	var registration, admin token.Current
	registration.Replace(token.HashOf(registrationToken))
	admin.Replace(token.HashOf(adminToken))
	tokens, err := access.Open(ctx, st, access.Bootstrap{Registration: &registration, Admin: &admin}, logger.Named("access"))
	if err != nil {
		d.Close()
		st.Close()
		return nil, err
	}
	changes := audit.New(st, logger.Named("audit"))
	agents := agentwire.New(d, agentwire.Options{
		Tokens: tokens, Gate: admission.NewGate(), Audit: changes,
		PingInterval: pingInterval, HeartbeatInterval: heartbeatInterval, JobStatusInterval: statusInterval,
		KeepAlive: keepAlive, StreamMaxAge: streamMaxAge, Logger: logger.Named("agentwire"),
	})
	mux := http.NewServeMux()
	mux.Handle(agents.Stream())
	mux.Handle(agentwire.Prefix, agents.REST())
	for path, handler := range api.Handlers(d, api.Options{
		Store: st, Tokens: tokens, Gate: admission.NewGate(), Audit: changes, Logger: logger.Named("api"),
	}) {
		mux.Handle(path, handler)
	}
	r := &replica{store: st, dispatcher: d, tokens: tokens, audit: changes, server: newServer(f.wrap(mux))}
	return r, nil
}

func newServer(handler http.Handler) *http.Server {
	server := &http.Server{Handler: handler, Protocols: new(http.Protocols), ReadHeaderTimeout: time.Minute}
	server.ErrorLog = log.New(io.Discard, "", 0) // a dark network leaves incomplete requests
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	return server
}

// network returns a new network that leads to the replica, or false if it is down.
func (r *replica) network() (*memnet.Network, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		return nil, false
	}
	n := memnet.New()
	r.networks = append(r.networks, n)
	r.serving.Go(func() { _ = r.server.Serve(n) })
	return n, true
}

// kill ends the replica. No response leaves it any more, and none of its writes is
// begun; those in flight may be stored or not.
func (r *replica) kill() {
	r.mu.Lock()
	if r.down {
		r.mu.Unlock()
		return
	}
	r.down = true
	networks := r.networks
	r.mu.Unlock()
	for _, n := range networks {
		n.Dark.Store(true)
		n.Cut()
	}
	r.store.Close()
	r.audit.Close()
	r.tokens.Close()
	r.dispatcher.Close()
	_ = r.server.Close()
	r.serving.Wait()
}
