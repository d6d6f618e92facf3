package worldtest

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
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
	*controlplane.Parts

	server  *http.Server
	closing context.CancelFunc // ends the streams
	serving sync.WaitGroup

	mu       sync.Mutex
	down     bool
	networks []*memnet.Network
}

// startReplica starts a replica on the storage. The faults stand in front of it.
func startReplica(ctx context.Context, s *storage, terms schedule.Terms, clock zapcore.Clock, f *faults, logger *zap.Logger) (*replica, error) {
	var registration, admin token.Current
	registration.Replace(token.HashOf(registrationToken))
	admin.Replace(token.HashOf(adminToken))
	parts, err := controlplane.OpenParts(ctx, controlplane.PartsOptions{
		Config: controlplane.Config{
			PingInterval: pingInterval, HeartbeatInterval: heartbeatInterval, JobStatusInterval: statusInterval,
			KeepAlive: keepAlive, StreamMaxAge: streamMaxAge, Logger: logger,
		},
		Store: store.Options{Server: s, Logger: logger.Named("store")},
		Terms: terms, Clock: clock, Tokens: access.Bootstrap{Registration: &registration, Admin: &admin},
	})
	if err != nil {
		return nil, err
	}
	closing, end := context.WithCancel(context.WithoutCancel(ctx))
	return &replica{Parts: parts, server: newServer(f.wrap(parts.Handler(closing))), closing: end}, nil
}

func newServer(handler http.Handler) *http.Server {
	server := &http.Server{Handler: handler, Protocols: new(http.Protocols), ReadHeaderTimeout: time.Minute}
	// As the server of the port has it.
	server.ConnContext = func(ctx context.Context, _ net.Conn) context.Context { return store.Prompt(ctx) }
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
	r.closing()
	r.Store.Close()
	r.Audit.Close()
	r.Access.Close()
	r.Dispatcher.Close()
	_ = r.server.Close()
	r.serving.Wait()
}
