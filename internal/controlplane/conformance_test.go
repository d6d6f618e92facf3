package controlplane_test

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// exchange is one call of the protocol and its exact response. The exchanges of a
// table are made in order, with one control plane.
type exchange struct {
	name   string
	token  string // a key of conformanceBed.tokens; "none" sends no token
	call   string // METHOD PATH, below /v3/; $NAME is replaced by an ID
	body   string
	header http.Header
	status int
	// response is the whole response, as JSON; empty means no body. $text stands for
	// any text but the empty one, $time for a time, and $NAME for an ID.
	response string
}

const (
	empty   = `{}`
	anError = `{"message":"$text"}`
)

// conformanceBed is a control plane with a worker that has accepted a job, another
// worker with another job, a finished job, and a job that the other worker is
// offered.
type conformanceBed struct {
	*bed

	names  *strings.Replacer
	tokens map[string]string
}

func newConformanceBed(t *testing.T, l link) *conformanceBed {
	t.Helper()
	b := startOn(t, l)
	w, other := b.register("w", "q"), b.register("other", "q2")
	job := b.accepted(w, &switchyardv1.SubmitJobRequest{
		Command: []string{"echo", "a b"}, Queue: "q", Env: map[string]string{"MINE": "1"}, Priority: 4,
	})
	others := b.accepted(other, queued("q2"))
	done := b.accepted(b.register("third", "q3"), queued("q3"))
	b.must(200, request{method: "PUT", path: "/v3/jobs/" + done.text("id") + "/finish", token: done.text("token"), body: `{"exit_status":"0"}`})
	offered := b.submit("q2", "true")
	return &conformanceBed{
		bed: b,
		names: strings.NewReplacer("$job", job.text("id"), "$others", others.text("id"), "$done", done.text("id"),
			"$queued", offered.GetId(), "$unknown", unknownID, "$worker", w.id),
		tokens: map[string]string{
			"registration": b.RegistrationToken(), "admin": b.AdminToken(), "unknown": "unknown",
			"session": w.token, "other session": other.token,
			"job": job.text("token"), "other job": others.text("token"), "done job": done.text("token"),
		},
	}
}

// checkExchanges makes the exchanges of a table, over every link.
func checkExchanges(t *testing.T, exchanges []exchange) {
	t.Helper()
	for _, l := range links {
		t.Run(l.name, func(t *testing.T) {
			b := newConformanceBed(t, l)
			for _, e := range exchanges {
				b.check(t, e)
			}
		})
	}
}

func (b *conformanceBed) check(t *testing.T, e exchange) {
	t.Helper()
	method, path, _ := strings.Cut(e.call, " ")
	got := b.do(request{
		method: method, path: "/v3/" + b.names.Replace(path), token: b.tokens[e.token], body: b.names.Replace(e.body), header: e.header,
	})
	if got.status != e.status {
		t.Errorf("%s: %s: status %d, %.300s; want %d", e.name, e.call, got.status, got.raw, e.status)
		return
	}
	for kind, token := range b.tokens {
		if strings.Contains(string(got.raw), token) && kind != "unknown" {
			t.Errorf("%s: %s: the response contains the %s token", e.name, e.call, kind)
		}
	}
	if e.response == "" {
		if len(got.raw) > 0 {
			t.Errorf("%s: %s: response %.300s, want no body", e.name, e.call, got.raw)
		}
		return
	}
	var is, want any
	if err := json.Unmarshal([]byte(b.names.Replace(e.response)), &want); err != nil {
		t.Fatalf("%s: the wanted response: %v", e.name, err)
	}
	if err := json.Unmarshal(got.raw, &is); err != nil || !matches(is, want) {
		t.Errorf("%s: %s: response %.2000s, want %s", e.name, e.call, got.raw, e.response)
	}
	if kind := got.header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("%s: %s: Content-Type is %q", e.name, e.call, kind)
	}
}

// matches reports whether a JSON value matches the wanted one, whose texts may be
// $text or $time.
func matches(is, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		members, ok := is.(map[string]any)
		if !ok || len(members) != len(want) {
			return false
		}
		for name, value := range want {
			if member, found := members[name]; !found || !matches(member, value) {
				return false
			}
		}
		return true
	case string:
		text, ok := is.(string)
		switch {
		case ok && want == "$text":
			return text != ""
		case ok && want == "$time":
			_, err := time.Parse(time.RFC3339Nano, text)
			return err == nil
		}
		return ok && text == want
	default:
		return reflect.DeepEqual(is, want)
	}
}

// The calls of a session.
func TestSessionConformance(t *testing.T) {
	const (
		registered = `{"id":"$text","name":"n","access_token":"$text","endpoint":"","ping_interval":2,` +
			`"job_status_interval":1,"heartbeat_interval":30,"meta_data":["queue=q9","os=linux"]}`
		sent = "2026-01-02T03:04:05.123456789+02:00"
	)
	checkExchanges(t, []exchange{
		{"register", "registration", "POST register", `{"name":"n","hostname":"h","os":"linux","arch":"amd64","script_eval_enabled":true,"ignore_in_dispatches":false,"priority":"1","version":"4","build":"5","meta_data":["queue=q9","os=linux"],"pid":6,"machine_id":"m","features":["git-mirrors"]}`, nil, 200, registered},
		{"register with unknown members", "registration", "POST register", `{"name":"n","meta_data":["queue=q9","os=linux"],"new":{"a":[1]}}`, nil, 200, registered},
		{"register without a name", "registration", "POST register", `{}`, nil, 400, anError},
		{"register, not JSON", "registration", "POST register", `{`, nil, 400, anError},
		{"register, a list", "registration", "POST register", `[]`, nil, 400, `{"message":"body: the whole must not be a JSON array"}`},
		{"register, wrong type", "registration", "POST register", `{"name":"n","meta_data":"queue=q"}`, nil, 400, `{"message":"body: meta_data must not be a JSON string"}`},
		{"register, invalid tag", "registration", "POST register", `{"name":"n","meta_data":["queue=a b"]}`, nil, 400, anError},
		{"register with a session's token", "session", "POST register", `{"name":"n"}`, nil, 401, anError},
		{"register with no token", "none", "POST register", `{"name":"n"}`, nil, 401, anError},
		{"describe the token", "registration", "GET token", "", nil, 200, `{"uuid":"$text","description":"$text","token_type":"registration","organization_slug":"switchyard","organization_uuid":"","cluster_uuid":"","cluster_name":"","organization_queue_uuid":"","organization_queue_key":""}`},
		{"describe an unknown token", "unknown", "GET token", "", nil, 401, anError},
		{"connect", "session", "POST connect", "", nil, 200, empty},
		{"connect with the registration token", "registration", "POST connect", "", nil, 401, anError},
		{"heartbeat", "session", "POST heartbeat", `{"sent_at":"` + sent + `"}`, nil, 200, `{"sent_at":"` + sent + `","received_at":"$time"}`},
		{"heartbeat, invalid time", "session", "POST heartbeat", `{"sent_at":"noon"}`, nil, 400, `{"message":"body: sent_at must be a time in RFC 3339 format"}`},
		{"heartbeat with a job's token", "job", "POST heartbeat", `{"sent_at":"` + sent + `"}`, nil, 401, anError},
		{"pause", "session", "POST pause", `{"note":"disk"}`, nil, 200, empty},
		{"ping, paused", "session", "GET ping", "", nil, 200, `{"action":"pause","message":"disk"}`},
		{"pause with a timeout", "session", "POST pause", `{"note":"disk","timeout_in_minutes":5}`, nil, 200, empty},
		{"pause with a timeout that is negative", "session", "POST pause", `{"timeout_in_minutes":-1}`, nil, 422, anError},
		{"pause, wrong type", "session", "POST pause", `{"note":5}`, nil, 400, `{"message":"body: note must not be a JSON number"}`},
		{"resume from inside a job", "job", "POST resume", "", nil, 200, empty},
		{"ping, accepted job not started: offered again", "session", "GET ping", "", nil, 200, `{"job":{"id":"$job"}}`},
		{"ping with an unknown token", "unknown", "GET ping", "", nil, 401, anError},
		{"stop, with force, from inside a job", "other job", "POST stop", `{"force":true}`, nil, 200, empty},
		{"ping, draining", "other session", "GET ping", "", nil, 200, `{"action":"disconnect","message":"$text"}`},
		{"stop, wrong type", "session", "POST stop", `{"force":1}`, nil, 400, `{"message":"body: force must not be a JSON number"}`},
		{"disconnect", "session", "POST disconnect", "", nil, 200, empty},
		{"disconnect again", "session", "POST disconnect", "", nil, 200, empty},
		{"ping after disconnect", "session", "GET ping", "", nil, 422, anError},
		{"heartbeat after disconnect", "session", "POST heartbeat", `{}`, nil, 422, anError},
		{"accept after disconnect", "session", "PUT jobs/$queued/accept", "", nil, 422, anError},
		{"connect after disconnect", "session", "POST connect", "", nil, 422, anError},
	})
}
