package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// Directions of a wire, as toxiproxy calls them.
const (
	toControlPlane = "upstream"
	toAgents       = "downstream"
)

// toxic is one thing that is wrong with a wire.
type toxic struct{ direction, kind, attributes string }

// bothWays is the same thing in both directions.
func bothWays(kind, attributes string) []toxic {
	return []toxic{{toControlPlane, kind, attributes}, {toAgents, kind, attributes}}
}

// link forwards connections to a control plane, byte by byte, with faults.
type link struct{ proxy *toxiproxy.Proxy }

// newLink begins at a free port of 127.0.0.1, and is taken away at the test's end.
func newLink(t *testing.T, controlPlane string) *link {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", controlPlane)
	if err := proxy.Start(); err != nil {
		t.Fatalf("toxiproxy: %v", err)
	}
	t.Cleanup(proxy.Stop)
	return &link{proxy}
}

func (w *link) url() string { return "http://" + w.proxy.Listen }

// harm makes things go wrong, on connections that are open as well.
func (w *link) harm(toxics []toxic) error {
	for _, x := range toxics {
		spec := fmt.Sprintf(`{"name": %q, "type": %q, "stream": %q, "attributes": %s}`, x.direction, x.kind, x.direction, x.attributes)
		if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(spec)); err != nil {
			return fmt.Errorf("toxiproxy: %s: %w", spec, err)
		}
	}
	return nil
}

// heal puts everything right.
func (w *link) heal(ctx context.Context) { w.proxy.Toxics.ResetToxics(ctx) }

// takes is the time of one small request over a connection of its own.
func (w *link) takes(ctx context.Context) (time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url()+"/healthz", http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("asking for the control plane's health: %w", err)
	}
	began := time.Now()
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return 0, fmt.Errorf("asking for the control plane's health: %w", err)
	}
	return time.Since(began), response.Body.Close() //nolint:wrapcheck // it says what failed
}
