package controlplane_test

import (
	"net/http"
	"strings"
	"testing"
)

// Calls of the protocol that are not served return 501 with their name, and wrong
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
		{"POST", "jobs/x/pipelines", 501, ""},
		{"GET", "jobs/x/pipelines/y", 501, ""},
		{"POST", "jobs/x/annotations", 501, ""},
		{"DELETE", "jobs/x/annotations/default", 501, ""},
		{"POST", "jobs/x/artifacts", 501, ""},
		{"PUT", "jobs/x/artifacts", 501, ""},
		{"GET", "builds/x/artifacts/search", 501, ""},
		{"POST", "jobs/x/oidc/tokens", 501, ""},
		{"GET", "jobs/x/secrets", 501, ""},
		{"POST", "jobs/x/repository_access_token", 501, ""},
		{"POST", "jobs/x/header_times", 501, ""},
		{"POST", "steps/x/export", 501, ""},
		{"PUT", "steps/x", 501, ""},
		{"POST", "steps/x/cancel", 501, ""},
		{"POST", "builds/x/cancel", 501, ""},
		{"GET", "cache_registries/x", 501, ""},
		{"POST", "cache_registries/x/peek", 501, ""},
		{"PUT", "cache_registries/x/store", 501, ""},
		{"PUT", "cache_registries/x/commit", 501, ""},
		{"POST", "cache_registries/x/retrieve", 501, ""},
		{"POST", "cache_registries/x/expire", 501, ""},

		{"GET", "builds/x", 501, ""},
		{"DELETE", "builds/x/data/get/y", 501, ""},
		{"PATCH", "steps/x/later", 501, ""},
		{"DELETE", "cache_registries", 501, ""},
		{"GET", "", 501, "GET /v3/ is not"},
		{"GET", strings.Repeat("x", 1000), 501, "..."},
		{"GET", "jobs//x", 501, ""},
		{"PUT", "jobs//accept", 501, ""},
		{"GET", "./ping", 501, ""},
		{"GET", "jobs/../ping", 501, ""},

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
