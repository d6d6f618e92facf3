package controlplane_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/controlplane/profiles"
)

// Each profile is served to an operator, and none has a token or where the data is. Of what
// net/http/pprof registers by itself nothing is served, such as the command line.
func TestProfiles(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	var dataDir string
	b := start(t, func(c *controlplane.Config) { c.Logger, dataDir = zap.New(core), c.DataDir })
	operator := http.Header{"Authorization": {"Bearer " + b.AdminToken()}}
	get := func(status int, path string) string {
		return string(b.must(status, request{method: "GET", path: path, header: operator}).raw)
	}
	w := b.register("w", "q") // its session token is in the memory of the control plane
	for _, path := range profiles.Paths() {
		query, want := "", "controlplane" // a part of the names of functions
		switch path {
		case profiles.CPUPath, profiles.TracePath, profiles.MutexPath, profiles.BlockPath:
			query, want = "?seconds=1", "" // there may be no sample
		case profiles.SymbolPath:
			query, want = "?0x1", "num_symbols"
		}
		profile := get(http.StatusOK, path+query)
		texts := []string{profile}
		if path == profiles.GoroutinePath {
			texts = append(texts, get(http.StatusOK, path+"?debug=1"), get(http.StatusOK, path+"?debug=2"))
		}
		for _, text := range texts {
			if r, err := gzip.NewReader(strings.NewReader(text)); err == nil {
				var out bytes.Buffer
				if _, err := io.Copy(&out, r); err != nil {
					t.Fatalf("%s: %v", path, err)
				}
				text = out.String()
			}
			if text == "" || !strings.Contains(text, want) {
				t.Errorf("%s: %d bytes without %q", path, len(text), want)
			}
			for _, secret := range []string{b.AdminToken(), b.RegistrationToken(), w.token, dataDir} {
				if strings.Contains(text, secret) {
					t.Errorf("%s has %q", path, secret)
				}
			}
		}
	}
	for _, path := range []string{"/debug/pprof/cmdline", "/debug/pprof/", "/debug/pprof", "/debug/pprof/threadcreate", "/debug/vars"} {
		get(http.StatusNotFound, path)
	}
	b.must(http.StatusMethodNotAllowed, request{method: "POST", path: profiles.SymbolPath, header: operator})
	line := logs.FilterMessage("profile requested").All()[0].ContextMap()
	if line["token_name"] != "admin-token" || line["route"] != profiles.CPUPath || line["length"] != time.Second {
		t.Errorf("logged %v", line)
	}
}

// A control plane that shuts down does not wait for a profile, and sends what it has.
func TestShutdownEndsProfile(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	b := start(t, func(c *controlplane.Config) { c.Logger = zap.New(core) })
	began := time.Now()
	var wg sync.WaitGroup
	wg.Go(func() {
		b.must(http.StatusOK, request{
			method: "GET", path: profiles.TracePath + "?seconds=60", header: http.Header{"Authorization": {"Bearer " + b.AdminToken()}},
		})
	})
	for logs.FilterMessage("profile requested").Len() == 0 && time.Since(began) < waitLimit {
		b.must(http.StatusOK, request{method: "GET", path: "/readyz"})
	}
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	if err := b.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	wg.Wait()
}
