package controlplane_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// Every route refuses every token of another kind, and a malformed header.
func TestTokensOfEveryRoute(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	other := b.accepted(b.register("other", "q2"), queued("q2"))
	tokens := map[string]string{
		"registration": b.RegistrationToken(), "session": w.token, "job": job.text("token"),
		"admin": b.AdminToken(), "unknown": strings.Repeat("x", 40), "none": "",
	}
	id := job.text("id")
	for _, row := range []struct {
		method, path string
		tokens       []string // that the route accepts
	}{
		{"POST", "/v3/register", []string{"registration"}},
		{"GET", "/v3/token", []string{"registration"}},
		{"POST", "/v3/connect", []string{"session"}},
		{"POST", "/v3/heartbeat", []string{"session"}},
		{"GET", "/v3/ping", []string{"session"}},
		{"POST", "/v3/stop", []string{"session", "job"}},
		{"POST", "/v3/pause", []string{"session", "job"}},
		{"POST", "/v3/resume", []string{"session", "job"}},
		{"POST", "/v3/disconnect", []string{"session"}},
		{"PUT", "/v3/jobs/" + id + "/accept", []string{"session"}},
		{"PUT", "/v3/jobs/" + id + "/acquire", []string{"session"}},
		{"PUT", "/v3/jobs/" + id + "/start", []string{"job"}},
		{"POST", "/v3/jobs/" + id + "/chunks", []string{"job"}},
		{"GET", "/v3/jobs/" + id, []string{"job"}},
		{"PUT", "/v3/jobs/" + id, []string{"job"}},
		{"PUT", "/v3/jobs/" + id + "/finish", []string{"job"}},
		{"PUT", "/v3/jobs/" + id + "/promise_failure", []string{"job"}},
		{"POST", "/v3/jobs/" + id + "/data/set", []string{"job"}},
		{"POST", "/v3/jobs/" + id + "/data/set-batch", []string{"job"}},
		{"POST", "/v3/jobs/" + id + "/data/get", []string{"job"}},
		{"POST", "/v3/jobs/" + id + "/data/exists", []string{"job"}},
		{"POST", "/v3/jobs/" + id + "/data/keys", []string{"job"}},
		{"POST", "/v3/builds/" + id + "/data/get", []string{"job"}},
		{"POST", "/v3/builds/" + id + "/data/exists", []string{"job"}},
		{"POST", "/v3/builds/" + id + "/data/keys", []string{"job"}},
	} {
		for name, token := range tokens {
			if slices.Contains(row.tokens, name) {
				continue
			}
			got := b.do(request{method: row.method, path: row.path, token: token})
			if got.status != http.StatusUnauthorized {
				t.Errorf("%s %s with the %s token: status %d, %s; want 401", row.method, row.path, name, got.status, got.raw)
				continue
			}
			if message := got.message(t); token != "" && strings.Contains(message, token) {
				t.Errorf("%s %s: the message %q contains the token", row.method, row.path, message)
			}
			if got.header.Get("WWW-Authenticate") != "Token" {
				t.Errorf("%s %s: WWW-Authenticate is %q", row.method, row.path, got.header.Get("WWW-Authenticate"))
			}
		}
		if strings.Contains(row.path, id) && slices.Contains(row.tokens, "job") {
			got := b.do(request{method: row.method, path: row.path, token: other.text("token")})
			if got.status != http.StatusNotFound {
				t.Errorf("%s %s with another job's token: status %d, %s; want 404", row.method, row.path, got.status, got.raw)
			}
		}
		basic := http.Header{"Authorization": {"Basic " + w.token}}
		if got := b.do(request{method: row.method, path: row.path, header: basic}); got.status != http.StatusUnauthorized {
			t.Errorf("%s %s with another scheme: status %d, want 401", row.method, row.path, got.status)
		}
	}
}
