package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/controlplane"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// crowdOf runs a crowd against an address until stop is called, which returns its error.
// next returns the events that it prints.
func crowdOf(t *testing.T, address, token, workers string) (next func() crowdEvent, stop func() error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token), privateMode); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := runCrowd(ctx, []string{address, file, workers, "3"}, in)
		ended <- errors.Join(err, in.Close())
	}()
	lines := json.NewDecoder(out)
	next = func() (e crowdEvent) {
		t.Helper()
		if err := lines.Decode(&e); err != nil {
			t.Fatal(err)
		}
		return e
	}
	return next, func() error {
		cancel()
		_, _ = io.Copy(io.Discard, out)
		return <-ended
	}
}

func TestCrowdAtAControlPlane(t *testing.T) {
	server, err := controlplane.Start(t.Context(), controlplane.Config{Listen: "127.0.0.1:0", DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	next, stop := crowdOf(t, strings.TrimPrefix(server.URL(), "http://"), server.RegistrationToken(), "7")
	for next().Open != 7 {
		continue
	}
	c, err := client.New(client.Options{Endpoints: []string{server.URL()}, Token: server.AdminToken()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	submitted, err := c.Submit(t.Context(), &switchyardv1.SubmitJobRequest{Command: bareCommand(), Queue: bareQueue})
	if err != nil {
		t.Fatal(err)
	}
	id := submitted.GetJob().GetId()
	for _, finished := range []bool{false, true} {
		if e := next(); e.Job != id || e.Finished != finished {
			t.Errorf("event %+v, want job %s, finished %v", e, id, finished)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	job, err := c.Job(t.Context(), id)
	if err != nil || job.GetState() != switchyardv1.JobState_JOB_STATE_FINISHED {
		t.Errorf("the job is %v (%v), want finished", job.GetState(), err)
	}
}

func TestCrowdAtTheBareServer(t *testing.T) {
	address, err := freeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	next, stop := crowdOf(t, address, "none", "7") // it tries again until the server is there
	go func() { ended <- runBareServer(ctx, []string{address}) }()
	for next().Open != 7 {
		continue
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for next().Open != 0 { // every stream has ended
		continue
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
