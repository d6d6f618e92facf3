package controlplane_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// The calls of a session, in an order in which an agent may make them.
func TestSession(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	sent := "2026-01-02T03:04:05.123456789+02:00"
	for _, row := range []struct {
		name         string
		method, path string
		body         string
		status       int
		want         map[string]any // the whole response; nil: not checked
	}{
		{"connect again", "POST", "connect", "", 200, map[string]any{}},
		{"heartbeat without a body", "POST", "heartbeat", "", 200, nil},
		{"heartbeat, not JSON", "POST", "heartbeat", "{", 400, nil},
		{
			"heartbeat, invalid time", "POST", "heartbeat", `{"sent_at":"yesterday"}`, 400,
			map[string]any{"message": "body: sent_at must be a time in RFC 3339 format"},
		},
		{"idle", "GET", "ping", "", 200, map[string]any{}},
		{"pause", "POST", "pause", `{"note":"new disk"}`, 200, map[string]any{}},
		{"paused", "GET", "ping", "", 200, map[string]any{"action": "pause", "message": "new disk"}},
		{"still paused", "GET", "ping", "", 200, map[string]any{"action": "pause", "message": "new disk"}},
		{"pause without a note", "POST", "pause", "", 200, map[string]any{}},
		{
			"paused with the default reason", "GET", "ping", "", 200,
			map[string]any{"action": "pause", "message": "paused from its own machine"},
		},
		{"pause with a timeout", "POST", "pause", `{"note":"disk","timeout_in_minutes":5}`, 200, map[string]any{}},
		{"paused for a while", "GET", "ping", "", 200, map[string]any{"action": "pause", "message": "disk (for 5 minutes)"}},
		{"pause with a timeout that is too long", "POST", "pause", `{"timeout_in_minutes":525601}`, 422, nil},
		{"resume", "POST", "resume", "", 200, map[string]any{}},
		{"idle again", "GET", "ping", "", 200, map[string]any{}},
		{"stop", "POST", "stop", `{}`, 200, map[string]any{}},
		{
			"draining", "GET", "ping", "", 200,
			map[string]any{"action": "disconnect", "message": "stopped from its own machine"},
		},
		{"stop, invalid force", "POST", "stop", `{"force":"yes"}`, 400, nil},
		{"disconnect", "POST", "disconnect", "", 200, map[string]any{}},
		{"disconnect again", "POST", "disconnect", "", 200, map[string]any{}},
		{"ping after disconnect", "GET", "ping", "", 422, nil},
		{"heartbeat after disconnect", "POST", "heartbeat", `{"sent_at":"` + sent + `"}`, 422, nil},
	} {
		got := b.do(request{method: row.method, path: "/v3/" + row.path, token: w.token, body: row.body})
		if got.status != row.status {
			t.Fatalf("%s: status %d, %s; want %d", row.name, got.status, got.raw, row.status)
		}
		if got.status >= http.StatusBadRequest {
			_ = got.message(t)
		}
		if row.want != nil && fmt.Sprint(got.body) != fmt.Sprint(row.want) {
			t.Errorf("%s: response %s, want %v", row.name, got.raw, row.want)
		}
	}
}

func TestHeartbeatReturnsTimes(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	const sent = "2026-01-02T03:04:05.123456789+02:00"
	got := b.must(200, request{method: "POST", path: "/v3/heartbeat", token: w.token, body: `{"sent_at":"` + sent + `"}`})
	if got.text("sent_at") != sent {
		t.Errorf("sent_at is %q, want the value of the request", got.text("sent_at"))
	}
	received, err := time.Parse(time.RFC3339Nano, got.text("received_at"))
	if err != nil || time.Since(received) > waitLimit {
		t.Errorf("received_at is %q (%v), want now", got.text("received_at"), err)
	}
}

// A command inside a job controls the job's worker with the job's token.
func TestJobPausesItsWorker(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	job := b.accepted(w, queued("q"))
	b.must(200, request{method: "POST", path: "/v3/pause", token: job.text("token"), body: `{"note":"broken disk"}`})
	res, err := b.workers.ListWorkers(t.Context(), &switchyardv1.ListWorkersRequest{})
	if err != nil {
		t.Fatal(err)
	}
	if got := res.GetWorkers()[0]; !got.GetPaused() || got.GetPauseReason() != "broken disk" {
		t.Errorf("worker %v, want it paused", got)
	}
}

// What an agent reports of its machine is shown, from each call that carries it, and only
// in the form that is bounded.
func TestMachineReports(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	job := b.submit("q", "true").GetId()
	b.pingUntil(w, func(r response) bool { return r.body["job"] != nil })
	beat := `{"sent_at":"2026-01-02T03:04:05Z"}`
	for _, row := range []struct {
		method, path, body, header string
		want                       string
	}{
		{"POST", "heartbeat", beat, "", ""},
		{"POST", "heartbeat", beat, "FallingBack pigeon 1", ""},
		{"POST", "heartbeat", beat, "FallingBack poll 47000", "FallingBack poll 47s"},
		{"POST", "heartbeat", beat, "", "FallingBack poll 47s"}, // not reported again
		{"GET", "ping", "", "Reclaiming poll 2000", "Reclaiming poll 2s"},
		{"GET", "ping", "", strings.Repeat("x", 4000), "Reclaiming poll 2s"},
		{"PUT", "jobs/" + job + "/accept", "", "Running stream 0", "Running stream 0s"},
	} {
		header := http.Header{}
		if row.header != "" {
			header.Set(wire.HeaderMachine, row.header)
		}
		b.must(200, request{method: row.method, path: "/v3/" + row.path, token: w.token, body: row.body, header: header})
		res, err := b.workers.GetWorker(t.Context(), &switchyardv1.GetWorkerRequest{Id: "w"})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if m := res.GetWorker(); m.GetMachineState() != "" {
			age := m.GetMachineReportedAt().AsTime().Sub(m.GetMachineSince().AsTime())
			got = fmt.Sprintf("%s %s %v", m.GetMachineState(), m.GetMachineControl(), age)
		}
		if got != row.want {
			t.Errorf("%s with %.40q: %q, want %q", row.path, row.header, got, row.want)
		}
	}
	_, err := b.workers.GetWorker(t.Context(), &switchyardv1.GetWorkerRequest{Id: "nobody"})
	expectError(t, "a worker that does not exist", err, connect.CodeNotFound, "nobody")
}
