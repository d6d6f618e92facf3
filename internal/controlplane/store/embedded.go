package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
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
)

// embedded is a NATS server inside this process, reached without a socket.
type embedded struct {
	server *server.Server
}

// startEmbedded starts a server that keeps its files in a folder of dataDir. It
// returns once the server accepts connections.
func startEmbedded(ctx context.Context, dataDir string, logger *zap.Logger) (*embedded, error) {
	dir := filepath.Join(dataDir, storeFolder)
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, fmt.Errorf("creating the store's folder: %w", err)
	}
	srv, err := server.NewServer(&server.Options{
		ServerName:             "switchyard",
		DontListen:             true,
		JetStream:              true,
		StoreDir:               dir,
		SyncAlways:             true, // acknowledged means on disk
		NoSigs:                 true,
		DisableJetStreamBanner: true,
	})
	if err != nil {
		return nil, fmt.Errorf("setting up the store in %s: %w", dir, err)
	}
	e := &embedded{server: srv}
	srv.SetLoggerV2(serverLog{logger.Named("nats").Sugar()}, false, false, false)
	srv.Start()
	timeout := startTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = time.Until(deadline)
	}
	switch {
	case !srv.ReadyForConnections(timeout):
		err = fmt.Errorf("starting the store in %s: not ready after %s", dir, timeout)
	case !srv.JetStreamEnabled():
		err = fmt.Errorf("starting the store in %s: its files cannot be used; see the log for the reason", dir)
	default:
		return e, nil
	}
	e.stop()
	return nil, err
}

// stop returns once everything is on disk and the folder is closed.
func (e *embedded) stop() {
	e.server.Shutdown()
	e.server.WaitForShutdown()
}

// serverLog writes the embedded server's log to ours. The server's notices concern
// its own operation, so they are debug messages here.
type serverLog struct{ *zap.SugaredLogger }

func (l serverLog) Noticef(format string, v ...any) { l.SugaredLogger.Debugf(format, v...) }
func (serverLog) Tracef(string, ...any)             {}

// Fatalf only logs: the server must not end the process that it is part of.
func (l serverLog) Fatalf(format string, v ...any) { l.SugaredLogger.Errorf(format, v...) }
