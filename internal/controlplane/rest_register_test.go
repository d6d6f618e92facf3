package controlplane_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

func TestRegister(t *testing.T) {
	b := start(t)
	for _, row := range []struct {
		name, body string
		status     int
		contains   string // the error message
	}{
		{"every member", `{"name":"a-1","hostname":"h","os":"linux","arch":"amd64","script_eval_enabled":true,` +
			`"ignore_in_dispatches":false,"priority":"3","version":"4.0.0","build":"1","meta_data":["queue=q","os=linux"],` +
			`"pid":7,"machine_id":"m","features":["streaming-pings"]}`, http.StatusOK, ""},
		{"only a name", `{"name":"a-2"}`, http.StatusOK, ""},
		{"unknown members", `{"name":"a-3","later":{"x":[1]}}`, http.StatusOK, ""},
		{"null tags", `{"name":"a-4","meta_data":null}`, http.StatusOK, ""},
		{"name from the hostname", `{"hostname":"h"}`, http.StatusOK, ""},
		{"same name again", `{"name":"a-1"}`, http.StatusOK, ""},
		{"a long operating system", `{"name":"a-5","os":"` + strings.Repeat(`PRETTY_NAME=\"Ubuntu\"\n`, 100) + `"}`, http.StatusOK, ""},
		{"no name", `{}`, http.StatusBadRequest, "name"},
		{"not JSON", `name=a`, http.StatusBadRequest, "not JSON"},
		{"wrong type", `{"name":["a"]}`, http.StatusBadRequest, "name must not be a JSON array"},
		{"invalid priority", `{"name":"a","priority":"high"}`, http.StatusBadRequest, "priority"},
		{"too large", `{"name":"` + strings.Repeat("x", 300<<10) + `"}`, http.StatusRequestEntityTooLarge, "262144"},
	} {
		t.Run(row.name, func(t *testing.T) {
			got := b.do(request{method: "POST", path: "/v3/register", token: b.RegistrationToken(), body: row.body})
			if got.status != row.status {
				t.Fatalf("status %d, %s; want %d", got.status, got.raw, row.status)
			}
			if row.status != http.StatusOK {
				if message := got.message(t); !strings.Contains(message, row.contains) {
					t.Errorf("message %q does not contain %q", message, row.contains)
				}
				return
			}
			for field, want := range map[string]any{
				"ping_interval": 2.0, "heartbeat_interval": 30.0, "job_status_interval": 1.0, "endpoint": "",
			} {
				if got.body[field] != want {
					t.Errorf("%s is %v, want %v", field, got.body[field], want)
				}
			}
			for _, field := range []string{"id", "name", "access_token"} {
				if got.text(field) == "" {
					t.Errorf("%s is missing", field)
				}
			}
			if _, sent := got.body["request_headers"]; sent {
				t.Error("request_headers is sent; the agent would replace its own")
			}
			if _, isList := got.body["meta_data"].([]any); !isList {
				t.Errorf("meta_data is %v, want a list", got.body["meta_data"])
			}
			if got.header.Get("Content-Type") != "application/json" || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers %v", got.header)
			}
		})
	}
}

func TestRegisteredTagsAndQueue(t *testing.T) {
	b := start(t)
	w := b.register("tagged", "builds")
	res, err := b.workers.ListWorkers(t.Context(), &switchyardv1.ListWorkersRequest{Queue: "builds"})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.GetWorkers()) != 1 {
		t.Fatalf("queue builds has %d workers, want 1", len(res.GetWorkers()))
	}
	got := res.GetWorkers()[0]
	if got.GetId() != w.id || got.GetQueue() != "builds" || !slices.Equal(got.GetTags(), []string{"queue=builds"}) ||
		got.GetHostname() != "host" || got.GetOs() != "linux" || got.GetArch() != "amd64" {
		t.Errorf("the worker is listed as %v", got)
	}
}

func TestTokenIsDescribed(t *testing.T) {
	b := start(t)
	got := b.must(200, request{method: "GET", path: "/v3/token", token: b.RegistrationToken()})
	for _, field := range []string{
		"uuid", "description", "token_type", "organization_slug", "organization_uuid",
		"cluster_uuid", "cluster_name", "organization_queue_uuid", "organization_queue_key",
	} {
		if _, isText := got.body[field].(string); !isText {
			t.Errorf("%s is %v, want a string", field, got.body[field])
		}
	}
	if strings.Contains(string(got.raw), b.RegistrationToken()) {
		t.Error("the response contains the token")
	}
}
