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

// Directions of a link, in the words of toxiproxy.
const (
	toControlPlane = "upstream"
	toAgents       = "downstream"
)

// toxic is one fault of a link.
type toxic struct{ direction, kind, attributes string }

// bothWays returns the same fault in both directions.
func bothWays(kind, attributes string) []toxic {
	return []toxic{{toControlPlane, kind, attributes}, {toAgents, kind, attributes}}
}

// link forwards connections to a control plane, byte by byte, with faults.
type link struct{ proxy *toxiproxy.Proxy }

// newLink starts a link on a free port of 127.0.0.1. It stops at the end of the test.
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

func (l *link) url() string { return "http://" + l.proxy.Listen }

// harm adds faults, also to connections that are open.
func (l *link) harm(toxics []toxic) error {
	for _, x := range toxics {
		spec := fmt.Sprintf(`{"name": %q, "type": %q, "stream": %q, "attributes": %s}`, x.direction, x.kind, x.direction, x.attributes)
		if _, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(spec)); err != nil {
			return fmt.Errorf("toxiproxy: %s: %w", spec, err)
		}
	}
	return nil
}

// heal removes all faults.
func (l *link) heal(ctx context.Context) { l.proxy.Toxics.ResetToxics(ctx) }

// takes returns the time of one small request over a new connection.
func (l *link) takes(ctx context.Context) (time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url()+"/healthz", http.NoBody)
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
