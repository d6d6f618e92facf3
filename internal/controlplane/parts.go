package controlplane

import (
	"context"
	"fmt"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/audit"
	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/jobtrace"
	"github.com/switchyard-ci/switchyard/internal/controlplane/metrics"
	"github.com/switchyard-ci/switchyard/internal/controlplane/recent"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// PartsOptions are what OpenParts needs. Store and Tokens are required.
type PartsOptions struct {
	// Config has the settings of what is served, and the Logger. Its addresses, files
	// and terms are not used.
	Config Config
	// Store is how to open the store.
	Store store.Options
	// Terms are how long silence is tolerated.
	Terms schedule.Terms
	// Clock is the wall clock of the records; nil is that of the system.
	Clock zapcore.Clock
	// Tokens are the tokens that need no store.
	Tokens access.Bootstrap
}

// Parts are a control plane without its port and its data directory: what a Server
// serves on a port, and a test on a network in memory.
type Parts struct {
	Store      *store.Store
	Dispatcher *dispatch.Dispatcher
	Access     *access.Tokens
	Audit      *audit.Log

	config  Config
	metrics *metrics.Metrics
	recent  *recent.Numbers
	logger  *zap.Logger
}

// OpenParts opens the store and what is read from it. It waits for a store that does not
// respond until ctx ends. The caller must call Close.
func OpenParts(ctx context.Context, o PartsOptions) (_ *Parts, err error) {
	p := &Parts{config: o.Config.WithDefaults(), metrics: metrics.New()}
	p.logger = p.config.Logger
	o.Store.OnWrite = p.metrics.StoreWritten
	if p.Store, err = store.Open(ctx, o.Store); err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	var observer dispatch.Observer = p.metrics
	if p.config.Tracing != nil {
		observer = jobtrace.New(observer, p.config.Tracing)
	}
	p.recent = recent.New(observer)
	p.Dispatcher, err = whileUnavailable(ctx, p.logger, func() (*dispatch.Dispatcher, error) {
		return dispatch.New(ctx, p.Store, dispatch.Options{
			Terms:           o.Terms,
			AcquireAnyQueue: p.config.AcquireAnyQueue,
			MaxLog:          p.config.MaxLog,
			Observer:        p.recent,
			Clock:           o.Clock,
			Logger:          p.logger.Named("dispatch"),
		})
	})
	if err == nil {
		p.Access, err = whileUnavailable(ctx, p.logger, func() (*access.Tokens, error) {
			return access.Open(ctx, p.Store, o.Tokens, p.logger.Named("access"))
		})
	}
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("reading the store: %w", err)
	}
	p.Audit = audit.New(p.Store, p.logger.Named("audit"))
	return p, nil
}

// Close closes what OpenParts opened, in reverse order. The requests of Handler must have
// ended, or fail.
func (p *Parts) Close() {
	if p.Dispatcher != nil {
		p.Dispatcher.Close()
	}
	if p.Audit != nil {
		p.Audit.Close()
	}
	if p.Access != nil {
		p.Access.Close()
	}
	p.Store.Close()
}
