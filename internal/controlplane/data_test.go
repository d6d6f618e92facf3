package controlplane_test

import (
	"net/http"
	"strings"
	"testing"
)

// Commands inside a job set and get meta-data of its build.
func TestMetaData(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	id, token := job.text("id"), job.text("token")
	other := b.accepted(b.register("w2", "q2"), queued("q2"))
	env, _ := job.body["env"].(map[string]any)
	if env["BUILDKITE_BUILD_ID"] != id {
		t.Errorf("BUILDKITE_BUILD_ID is %v, want the job's ID, since it is not a retry: %s", env["BUILDKITE_BUILD_ID"], id)
	}
	long := strings.Repeat("v", 100<<10)
	for _, row := range []struct {
		name, path, body string
		status           int
		want             string // the whole response; for an error, a part of its message
	}{
		{"no keys", "jobs/" + id + "/data/keys", "", 200, `[]`},
		{"exists, not set", "jobs/" + id + "/data/exists", `{"key":"k"}`, 200, `{"exists":false}`},
		{"get, not set", "jobs/" + id + "/data/get", `{"key":"k"}`, 404, "key: it is not set"},
		{"set", "jobs/" + id + "/data/set", `{"key":"k","value":"v"}`, 200, `{}`},
		{"set a batch", "jobs/" + id + "/data/set-batch", `{"items":[{"key":"k 2/ü","value":"<\n>"},{"key":"a"}]}`, 200, `{}`},
		{"set nothing", "jobs/" + id + "/data/set-batch", `{"items":[]}`, 200, `{}`},
		{"set a long value", "jobs/" + id + "/data/set", `{"key":"long","value":"` + long + `"}`, 200, `{}`},
		{"get", "jobs/" + id + "/data/get", `{"key":"k"}`, 200, `{"key":"k","value":"v"}`},
		{"get from the build", "builds/" + id + "/data/get", `{"key":"k"}`, 200, `{"key":"k","value":"v"}`},
		{"get a long value", "builds/" + id + "/data/get", `{"key":"long"}`, 200, `{"key":"long","value":"` + long + `"}`},
		{"get of the batch", "jobs/" + id + "/data/get", `{"key":"k 2/ü"}`, 200, `{"key":"k 2/ü","value":"\u003c\n\u003e"}`},
		{"get an empty value", "builds/" + id + "/data/get", `{"key":"a"}`, 200, `{"key":"a","value":""}`},
		{"exists", "jobs/" + id + "/data/exists", `{"key":"k"}`, 200, `{"exists":true}`},
		{"exists in the build", "builds/" + id + "/data/exists", `{"key":"k"}`, 200, `{"exists":true}`},
		{"keys", "jobs/" + id + "/data/keys", "", 200, `["a","k","k 2/ü","long"]`},
		{"keys of the build", "builds/" + id + "/data/keys", "", 200, `["a","k","k 2/ü","long"]`},

		{"get from the build, not set", "builds/" + id + "/data/get", `{"key":"z"}`, 404, "key: it is not set"},
		{"another job", "jobs/" + other.text("id") + "/data/get", `{"key":"k"}`, 404, "no such job"},
		{"another build", "builds/" + other.text("id") + "/data/get", `{"key":"k"}`, 404, "no such build"},
		{"not a build ID", "builds/nonsense/data/keys", "", 404, "no such build"},
		{"set in a build", "builds/" + id + "/data/set", `{"key":"k","value":"v"}`, 404, "/data/set is not served"},
		{"set without a body", "jobs/" + id + "/data/set", "", 400, "key must have"},
		{"set, not JSON", "jobs/" + id + "/data/set", "k=v", 400, "body: not JSON"},
		{"set, wrong type", "jobs/" + id + "/data/set", `{"key":"k","value":7}`, 400, "value must not be a JSON number"},
		{"set items, wrong type", "jobs/" + id + "/data/set-batch", `{"items":[{"key":["k"]}]}`, 400, "items.key must not be a JSON array"},
		{"set a key too long", "jobs/" + id + "/data/set", `{"key":"` + strings.Repeat("k", 256) + `"}`, 400, "key must have"},
		{"set a value too long", "jobs/" + id + "/data/set", `{"key":"k","value":"` + long + `v"}`, 400, "value must have at most 102400 bytes"},
		{"set a body too large", "jobs/" + id + "/data/set", `{"key":"k","value":"` + strings.Repeat("v", 1<<20) + `"}`, 413, "more than 1048576 bytes"},
		{"get, no key", "jobs/" + id + "/data/get", `{}`, 400, "key must have"},
		{"exists, no key", "jobs/" + id + "/data/exists", `{"key":""}`, 400, "key must have"},
	} {
		got := b.do(request{method: http.MethodPost, path: "/v3/" + row.path, token: token, body: row.body})
		if got.status != row.status {
			t.Errorf("%s: status %d, %.200s; want %d", row.name, got.status, got.raw, row.status)
			continue
		}
		if row.status != http.StatusOK {
			if message := got.message(t); !strings.Contains(message, row.want) {
				t.Errorf("%s: message %q does not contain %q", row.name, message, row.want)
			}
		} else if string(got.raw) != row.want {
			t.Errorf("%s: response %.200s, want %.200s", row.name, got.raw, row.want)
		}
	}
	b.must(200, request{method: "PUT", path: "/v3/jobs/" + id + "/finish", token: token, body: `{"exit_status":"0"}`})
	_ = b.must(401, request{method: "POST", path: "/v3/jobs/" + id + "/data/set", token: token, body: `{"key":"k","value":"w"}`}).message(t)
	_ = b.must(401, request{method: "POST", path: "/v3/jobs/" + id + "/data/get", token: token, body: `{"key":"k"}`}).message(t)
}
