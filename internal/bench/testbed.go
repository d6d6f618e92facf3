package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/controlplane"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// lab is what the experiments share.
type lab struct {
	plan   plan
	dir    string
	binary string // the program to measure
}

// testbed is a control plane with a probe around it, a client, and agents.
type testbed struct {
	dir               string
	certFile, keyFile string // empty without TLS
	tokenFile         string
	probe             *probe
	server            *controlplane.Server
	client            *client.Client
	agents            []*agentProcess
	links             []*link
}

const (
	cleanUpTimeout = 20 * time.Second
	pingInterval   = 2 * time.Second
)

// newTestbed starts a control plane with a new store. The caller must close it.
func (l *lab) newTestbed(ctx context.Context, tls bool) (*testbed, error) {
	b := &testbed{probe: newProbe()}
	if err := b.start(ctx, l.dir, tls); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

func (b *testbed) start(ctx context.Context, dir string, tls bool) error {
	var err error
	if b.dir, err = os.MkdirTemp(dir, "testbed-"); err != nil {
		return fmt.Errorf("making a directory: %w", err)
	}
	if tls {
		if b.certFile, b.keyFile, err = makeCertificate(b.dir); err != nil {
			return err
		}
	}
	if err := b.serve(ctx, "127.0.0.1:0"); err != nil {
		return err
	}
	b.tokenFile = filepath.Join(b.dir, "registration-token")
	if err := os.WriteFile(b.tokenFile, []byte(b.server.RegistrationToken()), privateMode); err != nil {
		return fmt.Errorf("writing the token: %w", err)
	}
	options := client.Options{Endpoints: []string{b.server.URL()}, Token: b.server.AdminToken()}
	if tls {
		if options.TLS, err = config.ClientTLS(config.ClientTLSOptions{CAFile: b.certFile}); err != nil {
			return fmt.Errorf("trusting the certificate: %w", err)
		}
	}
	if b.client, err = client.New(options); err != nil {
		return fmt.Errorf("making a client: %w", err)
	}
	return nil
}

// serve starts the control plane with the testbed's store. It may be called again
// after a shutdown.
func (b *testbed) serve(ctx context.Context, address string) error {
	server, err := controlplane.Start(ctx, controlplane.Config{
		Listen: address, DataDir: filepath.Join(b.dir, "data"), PingInterval: pingInterval,
		TLSCertFile: b.certFile, TLSKeyFile: b.keyFile, Wrap: b.probe.wrap,
	})
	if err != nil {
		return fmt.Errorf("starting the control plane: %w", err)
	}
	b.server = server
	return nil
}

// close ends the agents, the links and the control plane, and removes the
// directory. It continues after an error.
func (b *testbed) close() error {
	var errs []error
	for _, a := range b.agents {
		errs = append(errs, a.end())
	}
	for _, l := range b.links { // after the agents, which disconnect through them
		errs = append(errs, l.close())
	}
	if b.client != nil {
		b.client.Close()
	}
	if b.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), cleanUpTimeout)
		defer cancel()
		errs = append(errs, b.server.Shutdown(ctx))
	}
	if b.dir != "" {
		errs = append(errs, os.RemoveAll(b.dir))
	}
	return errors.Join(errs...)
}

// submit submits a job `true`, and returns its ID.
func (b *testbed) submit(ctx context.Context) (string, error) {
	response, err := b.client.Submit(ctx, &switchyardv1.SubmitJobRequest{Command: []string{"true"}})
	if err != nil {
		return "", fmt.Errorf("submitting a job: %w", err)
	}
	return response.GetJob().GetId(), nil
}

// firstMessages waits for the first message on the streams of that many workers,
// and returns their times by worker.
func firstMessages(ctx context.Context, w *subscription, workers int) (map[string]time.Time, error) {
	first := map[string]time.Time{}
	err := w.until(ctx, fmt.Sprintf("the streams of %d workers", workers), func(s event) bool {
		if _, known := first[s.worker]; s.kind == messageSent && !known {
			first[s.worker] = s.at
		}
		return len(first) == workers
	})
	return first, err
}
