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

// A fact is one line of the wire's facts that binds a control plane: a call, and
// exactly what it is answered. The facts of a table are told in order, to one
// control plane.
type fact struct {
	is     string // in words
	token  string // whose: registration, session, job, ...; none is none at all
	call   string // METHOD path, without the prefix; $NAME stands for an id
	body   string
	header http.Header
	status int
	// answer is the whole answer, as JSON. In it $text stands for any text but the
	// empty one, $time for a moment, and $NAME for an id.
	// Empty is an answer without a body.
	answer string
}

const (
	empty    = `{}`
	anError  = `{"message":"$text"}`
	unknowns = "018f4e8e-0000-7000-8000-000000000000"
)

// A stage is a control plane with what the facts are about: a worker with a job in
// hand, another worker with another job, and a job that nobody runs.
type stage struct {
	*bed

	names  *strings.Replacer
	tokens map[string]string
}

func newStage(t *testing.T, l link) *stage {
	t.Helper()
	b := startOver(t, l)
	w, other := b.register("w", "q"), b.register("other", "q2")
	job := b.accepted(w, &switchyardv1.SubmitJobRequest{
		Command: []string{"echo", "a b"}, Queue: "q", Env: map[string]string{"MINE": "1"}, Priority: 4,
	})
	others := b.accepted(other, queued("q2"))
	done := b.accepted(b.register("third", "q3"), queued("q3"))
	b.must(200, request{method: "PUT", path: "/v3/jobs/" + done.text("id") + "/finish", token: done.text("token"), body: `{"exit_status":"0"}`})
	offered := b.submit("q2", "true")
	return &stage{
		bed: b,
		names: strings.NewReplacer("$job", job.text("id"), "$others", others.text("id"), "$done", done.text("id"),
			"$queued", offered.GetId(), "$unknown", unknowns, "$worker", w.id),
		tokens: map[string]string{
			"registration": b.RegistrationToken(), "admin": b.AdminToken(), "nonsense": "nonsense",
			"session": w.token, "other session": other.token,
			"job": job.text("token"), "other job": others.text("token"), "done job": done.text("token"),
		},
	}
}

// tell makes the calls of a table, over every link.
func tell(t *testing.T, facts []fact) {
	t.Helper()
	for _, l := range links {
		t.Run(l.name, func(t *testing.T) {
			s := newStage(t, l)
			for _, f := range facts {
				s.check(t, f)
			}
		})
	}
}

func (s *stage) check(t *testing.T, f fact) {
	t.Helper()
	method, path, _ := strings.Cut(f.call, " ")
	got := s.do(request{
		method: method, path: "/v3/" + s.names.Replace(path), token: s.tokens[f.token], body: s.names.Replace(f.body), header: f.header,
	})
	if got.status != f.status {
		t.Errorf("%s: %s: status %d, %.300s; want %d", f.is, f.call, got.status, got.raw, f.status)
		return
	}
	for whose, token := range s.tokens {
		if strings.Contains(string(got.raw), token) && whose != "nonsense" {
			t.Errorf("%s: %s: the answer shows the %s token", f.is, f.call, whose)
		}
	}
	if f.answer == "" {
		if len(got.raw) > 0 {
			t.Errorf("%s: %s: answered %.300s, want no body", f.is, f.call, got.raw)
		}
		return
	}
	var is, want any
	if err := json.Unmarshal([]byte(s.names.Replace(f.answer)), &want); err != nil {
		t.Fatalf("%s: the wanted answer: %v", f.is, err)
	}
	if err := json.Unmarshal(got.raw, &is); err != nil || !alike(is, want) {
		t.Errorf("%s: %s: answered %.2000s, want %s", f.is, f.call, got.raw, f.answer)
	}
	if kind := got.header.Get("Content-Type"); kind != "application/json" {
		t.Errorf("%s: %s: Content-Type is %q", f.is, f.call, kind)
	}
}

// alike compares JSON with what is wanted of it, member by member.
func alike(is, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		members, ok := is.(map[string]any)
		if !ok || len(members) != len(want) {
			return false
		}
		for name, value := range want {
			if member, there := members[name]; !there || !alike(member, value) {
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

// Section 1: the session.
func TestConformanceOfTheSession(t *testing.T) {
	const (
		registered = `{"id":"$text","name":"n","access_token":"$text","endpoint":"","ping_interval":2,` +
			`"job_status_interval":1,"heartbeat_interval":30,"meta_data":["queue=q9","os=linux"]}`
		sent = "2026-01-02T03:04:05.123456789+02:00"
	)
	tell(t, []fact{
		{"register", "registration", "POST register", `{"name":"n","hostname":"h","os":"linux","arch":"amd64","script_eval_enabled":true,"ignore_in_dispatches":false,"priority":"1","version":"4","build":"5","meta_data":["queue=q9","os=linux"],"pid":6,"machine_id":"m","features":["git-mirrors"]}`, nil, 200, registered},
		{"register with members of a later agent", "registration", "POST register", `{"name":"n","meta_data":["queue=q9","os=linux"],"new":{"a":[1]}}`, nil, 200, registered},
		{"register without a name", "registration", "POST register", `{}`, nil, 400, anError},
		{"register, no JSON", "registration", "POST register", `{`, nil, 400, anError},
		{"register, a list", "registration", "POST register", `[]`, nil, 400, `{"message":"body: the whole must not be a JSON array"}`},
		{"register, another type", "registration", "POST register", `{"name":"n","meta_data":"queue=q"}`, nil, 400, `{"message":"body: meta_data must not be a JSON string"}`},
		{"register, a tag that is none", "registration", "POST register", `{"name":"n","meta_data":["queue=a b"]}`, nil, 400, anError},
		{"register with a session's token", "session", "POST register", `{"name":"n"}`, nil, 401, anError},
		{"register with no token", "none", "POST register", `{"name":"n"}`, nil, 401, anError},
		{"describe the token", "registration", "GET token", "", nil, 200, `{"uuid":"$text","description":"$text","token_type":"registration","organization_slug":"switchyard","organization_uuid":"","cluster_uuid":"","cluster_name":"","organization_queue_uuid":"","organization_queue_key":""}`},
		{"describe a token that is not one", "nonsense", "GET token", "", nil, 401, anError},
		{"connect", "session", "POST connect", "", nil, 200, empty},
		{"connect with the registration token", "registration", "POST connect", "", nil, 401, anError},
		{"heartbeat", "session", "POST heartbeat", `{"sent_at":"` + sent + `"}`, nil, 200, `{"sent_at":"` + sent + `","received_at":"$time"}`},
		{"heartbeat at no time", "session", "POST heartbeat", `{"sent_at":"noon"}`, nil, 400, `{"message":"body: sent_at must be a time in RFC 3339 format"}`},
		{"heartbeat with a job's token", "job", "POST heartbeat", `{"sent_at":"` + sent + `"}`, nil, 401, anError},
		{"pause", "session", "POST pause", `{"note":"disk"}`, nil, 200, empty},
		{"ping, paused", "session", "GET ping", "", nil, 200, `{"action":"pause","message":"disk"}`},
		{"pause for a while", "session", "POST pause", `{"note":"disk","timeout_in_minutes":5}`, nil, 422, anError},
		{"pause, another type", "session", "POST pause", `{"note":5}`, nil, 400, `{"message":"body: note must not be a JSON number"}`},
		{"resume from inside a job", "job", "POST resume", "", nil, 200, empty},
		{"ping, a job in hand that has not started: offered again", "session", "GET ping", "", nil, 200, `{"job":{"id":"$job"}}`},
		{"ping with nonsense", "nonsense", "GET ping", "", nil, 401, anError},
		{"stop, with force, from inside a job", "other job", "POST stop", `{"force":true}`, nil, 200, empty},
		{"ping, told to leave", "other session", "GET ping", "", nil, 200, `{"action":"disconnect","message":"$text"}`},
		{"stop, another type", "session", "POST stop", `{"force":1}`, nil, 400, `{"message":"body: force must not be a JSON number"}`},
		{"disconnect", "session", "POST disconnect", "", nil, 200, empty},
		{"disconnect again", "session", "POST disconnect", "", nil, 200, empty},
		{"ping, once it has left", "session", "GET ping", "", nil, 422, anError},
		{"heartbeat, once it has left", "session", "POST heartbeat", `{}`, nil, 422, anError},
		{"accept, once it has left", "session", "PUT jobs/$queued/accept", "", nil, 422, anError},
		{"connect, once it has left: it is back", "session", "POST connect", "", nil, 200, empty},
		{"ping, back", "session", "GET ping", "", nil, 200, `{"job":{"id":"$job"}}`},
	})
}
