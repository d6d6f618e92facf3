package transport_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// TestRedirects shows to which redirects a token is sent.
func TestRedirects(t *testing.T) {
	rows := []struct {
		name     string
		to       string
		status   int
		token    string // at the target, empty if it must not be there
		cell     string
		followed bool
	}{
		{"the same host", "http://control.test/moved", 307, "Token " + sessionToken, "7", true},
		{"another port", "http://control.test:8080/moved", 308, "", "", true},
		{"a subdomain", "http://sub.control.test/moved", 307, "", "", true},
		{"another host", "http://other.test/moved", 307, "", "", true},
		{"a redirect that would become a GET", "http://control.test/moved", 302, "", "", false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var arrived []seen
				mux := http.NewServeMux()
				mux.HandleFunc("/moved", func(_ http.ResponseWriter, r *http.Request) { arrived = append(arrived, see(r)) })
				mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, row.to, row.status) })
				harness := newHarness(t, registering(mux), withHeaders(http.Header{"Buildkite-Cell": {"7"}}))
				session := harness.register(t)
				err := session.Job(wire.Job{ID: "j1"}).Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"})
				if !row.followed {
					status, ok := errors.AsType[*transport.StatusError](err)
					if !ok || status.Code != row.status || len(arrived) != 0 {
						t.Errorf("got %v, and %d requests", err, len(arrived))
					}
					return
				}
				if err != nil || len(arrived) != 1 {
					t.Fatalf("got %v, and %d requests", err, len(arrived))
				}
				got := arrived[0]
				if token := got.header.Get("Authorization"); token != row.token {
					t.Errorf("token %q, want %q", token, row.token)
				}
				if cell := got.header.Get("Buildkite-Cell"); cell != row.cell {
					t.Errorf("Buildkite-Cell %q, want %q", cell, row.cell)
				}
				if got.method != http.MethodPut || !strings.Contains(got.body, `"exit_status":"0"`) {
					t.Errorf("%s %s", got.method, got.body)
				}
			})
		})
	}
}

func TestRedirectsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		again := &script{steps: []http.HandlerFunc{reply(307, "", "Location", "/v3/ping")}}
		session := newHarness(t, registering(again)).register(t)
		if _, err := session.Ping(t.Context()); err == nil || again.calls.Load() > 20 {
			t.Errorf("got %v after %d requests", err, again.calls.Load())
		}
	})
}
