package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap"
)

const (
	// storeFolder is the embedded server's folder in the data directory.
	storeFolder = "jetstream"
	// startTimeout bounds the start of the embedded server, which reads all its
	// files, and the opening of one stream.
	startTimeout = time.Minute
	// dirMode keeps the files, which hold the environment of jobs, to their owner.
	dirMode = 0o700
	// noLimit is the limit of the embedded server, in bytes. It would refuse the
	// changes of jobs that exist too, and every change of a stream once the limit was
	// lowered: see limits.go for ours.
	noLimit = 1 << 60
)

// errRestarting is the error of a connection while the server is started again.
var errRestarting = errors.New("the embedded server is being started again")

// embedded is a NATS server inside this process, reached without a socket. It can
// be started again in place: connections are made to the present server.
type embedded struct {
	dir    string
	bulk   bool  // what is written is on disk at the end only
	limit  int64 // of everything stored, in bytes; 0 depends on the disk: see storeLimit
	logger *zap.Logger

	mu     sync.Mutex
	server *server.Server // nil while it is not running
	max    int64          // the limit of everything stored, as of the start
	// triedToStage is set once the present server collects its batches in memory, or
	// cannot.
	triedToStage bool
	// staging is the folder in memory in which the present server collects its batches; ""
	// if they are on disk.
	staging string
	// life ends with the present server, with errRestarting as its cause.
	life context.Context //nolint:containedctx // of the server, not of a call
	end  context.CancelCauseFunc
}

// startEmbedded starts a server that keeps its files in a folder of dataDir. It
// returns once the server accepts connections.
func startEmbedded(ctx context.Context, opts Options) (*embedded, error) {
	e := &embedded{dir: filepath.Join(opts.DataDir, storeFolder), limit: opts.MaxStore, bulk: opts.restoring, logger: opts.Logger}
	if err := os.MkdirAll(e.dir, dirMode); err != nil {
		return nil, fmt.Errorf("creating the store's folder: %w", err)
	}
	if err := e.start(ctx); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *embedded) start(ctx context.Context) error {
	limit, err := storeLimit(e.dir, e.limit)
	if err != nil {
		return err
	}
	if err := e.dropForeignBatches(); err != nil {
		return err
	}
	staged := e.stagedBatches() // of a process that was killed
	srv, err := server.NewServer(&server.Options{
		ServerName:             "switchyard",
		DontListen:             true,
		JetStream:              true,
		JetStreamMaxStore:      noLimit,
		StoreDir:               e.dir,
		SyncAlways:             !e.bulk, // acknowledged means on disk
		NoSigs:                 true,
		DisableJetStreamBanner: true,
	})
	if err != nil {
		return fmt.Errorf("setting up the store in %s: %w", e.dir, err)
	}
	srv.SetLoggerV2(serverLog{e.logger.Named("nats").Sugar()}, false, false, false)
	srv.Start()
	timeout := startTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = time.Until(deadline)
	}
	switch {
	case !srv.ReadyForConnections(timeout):
		err = fmt.Errorf("starting the store in %s: not ready after %s", e.dir, timeout)
	case !srv.JetStreamEnabled():
		err = fmt.Errorf("starting the store in %s: its files cannot be used; see the log for the reason", e.dir)
	default:
		e.mu.Lock()
		defer e.mu.Unlock()
		e.server, e.max = srv, limit
		e.life, e.end = context.WithCancelCause(context.WithoutCancel(ctx))
		e.triedToStage, e.staging = false, ""
		_ = os.RemoveAll(staged) // the server has completed what was in it, if it is not ""
		return nil
	}
	end(srv)
	return err
}

// restart stops the server, if it runs, and starts it again with the same files.
// What was acknowledged is in the files. If it returns an error no server runs.
func (e *embedded) restart(ctx context.Context) error {
	e.stop()
	return e.start(ctx)
}

// InProcessConn returns a connection to the present server.
func (e *embedded) InProcessConn() (net.Conn, error) {
	srv := e.running()
	if srv == nil {
		return nil, errRestarting
	}
	return srv.InProcessConn() //nolint:wrapcheck // for the client of NATS only
}

// running returns the present server, or nil.
func (e *embedded) running() *server.Server {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.server
}

// maxStore returns the most bytes of everything stored.
func (e *embedded) maxStore() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.max
}

// present returns the life of the present server. It has ended if no server runs.
func (e *embedded) present() context.Context {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.life
}

// check returns the error with which the server has stopped writing, or nil. The
// server does not respond to a write that fails, and remembers the error.
func (e *embedded) check() error {
	srv := e.running()
	if srv == nil {
		return errRestarting
	}
	if health := srv.Healthz(&server.HealthzOptions{}); health.Status != "ok" {
		return &serverError{health.Error}
	}
	return nil
}

// serverError is why the embedded server has stopped writing.
type serverError struct{ text string }

// Error returns the server's own words, which name files.
func (e *serverError) Error() string { return e.text }

// stop returns once everything is on disk and the folder is closed.
func (e *embedded) stop() {
	e.mu.Lock()
	srv := e.server
	e.server = nil
	e.end(errRestarting)
	e.mu.Unlock()
	if srv != nil {
		end(srv)
		e.unstage()
	}
}

func end(srv *server.Server) {
	srv.Shutdown()
	srv.WaitForShutdown()
}

// serverLog writes the embedded server's log to ours. The server's notices concern
// its own operation, so they are debug messages here.
type serverLog struct{ *zap.SugaredLogger }

func (l serverLog) Noticef(format string, v ...any) { l.SugaredLogger.Debugf(format, v...) }
func (serverLog) Tracef(string, ...any)             {}

// Fatalf only logs: the server must not end the process that it is part of.
func (l serverLog) Fatalf(format string, v ...any) { l.SugaredLogger.Errorf(format, v...) }
