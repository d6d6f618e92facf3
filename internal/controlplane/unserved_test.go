package controlplane_test

import (
	"net/http"
	"strings"
	"testing"
)

// Calls of the protocol that are not served return 404 with their name, and wrong
// methods 405, to callers with a token; others get 401.
func TestUnservedRoutes(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	for _, row := range []struct {
		method, path string
		status       int
		contains     string // empty: the method and the path
	}{
		{"POST", "jobs/x/pipelines", 404, ""},
		{"GET", "jobs/x/pipelines/y", 404, ""},
		{"POST", "jobs/x/annotations", 404, ""},
		{"DELETE", "jobs/x/annotations/default", 404, ""},
		{"POST", "jobs/x/artifacts", 404, ""},
		{"PUT", "jobs/x/artifacts", 404, ""},
		{"GET", "builds/x/artifacts/search", 404, ""},
		{"POST", "jobs/x/oidc/tokens", 404, ""},
		{"GET", "jobs/x/secrets", 404, ""},
		{"POST", "jobs/x/repository_access_token", 404, ""},
		{"POST", "jobs/x/header_times", 404, ""},
		{"POST", "steps/x/export", 404, ""},
		{"PUT", "steps/x", 404, ""},
		{"POST", "steps/x/cancel", 404, ""},
		{"POST", "builds/x/cancel", 404, ""},
		{"GET", "cache_registries/x", 404, ""},
		{"POST", "cache_registries/x/peek", 404, ""},
		{"PUT", "cache_registries/x/store", 404, ""},
		{"PUT", "cache_registries/x/commit", 404, ""},
		{"POST", "cache_registries/x/retrieve", 404, ""},
		{"POST", "cache_registries/x/expire", 404, ""},

		{"GET", "builds/x", 404, ""},
		{"DELETE", "builds/x/data/get/y", 404, ""},
		{"PATCH", "steps/x/later", 404, ""},
		{"DELETE", "cache_registries", 404, ""},
		{"GET", "", 404, "GET /v3/ is not"},
		{"GET", strings.Repeat("x", 1000), 404, "..."},
		{"GET", "jobs//x", 404, ""},
		{"PUT", "jobs//accept", 404, ""},
		{"GET", "./ping", 404, ""},
		{"GET", "jobs/../ping", 404, ""},

		{"GET", "register", 405, "method GET is not allowed for this path, which takes POST"},
		{"POST", "ping", 405, "takes GET"},
		{"DELETE", "jobs/x", 405, "takes GET and PUT"},
		{"POST", "jobs/x/accept", 405, "takes PUT"},
		{"DELETE", "jobs/x/data/set", 405, "takes POST"},
		{"GET", "builds/x/data/keys", 405, "takes POST"},
	} {
		if row.contains == "" {
			row.contains = row.method + " /v3/" + row.path + " is not served by this control plane"
		}
		path := "/v3/" + row.path
		for name, token := range map[string]string{
			"registration": b.RegistrationToken(), "session": w.token, "job": job.text("token"),
		} {
			got := b.do(request{method: row.method, path: path, token: token})
			if got.status != row.status {
				t.Errorf("%s %.40s with the %s token: status %d, want %d", row.method, path, name, got.status, row.status)
			}
			if message := got.message(t); !strings.Contains(message, row.contains) || len(message) > 400 {
				t.Errorf("%s %.40s: message %q does not contain %q", row.method, path, message, row.contains)
			}
			if row.status == http.StatusMethodNotAllowed && got.header.Get("Allow") == "" {
				t.Errorf("%s %s: 405 without Allow", row.method, path)
			}
		}
		for _, token := range []string{"", "nonsense", b.AdminToken()} {
			got := b.do(request{method: row.method, path: path, token: token})
			if got.status != http.StatusUnauthorized || strings.Contains(got.message(t), row.contains) {
				t.Errorf("%s %.40s without a token: status %d, %s; want 401", row.method, path, got.status, got.raw)
			}
		}
	}
}
