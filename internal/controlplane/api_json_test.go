package controlplane_test

import (
	"encoding/binary"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// call sends a body to a procedure and returns the status and the body of the
// response.
func (b *bed) call(procedure, contentType string, body []byte) (int, string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.URL()+"/switchyard.v1."+procedure, strings.NewReader(string(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+b.AdminToken())
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(got)
}

// A misspelled field or value in JSON is refused, by every call, and is named.
func TestMisspelledJSON(t *testing.T) {
	b := start(t)
	for _, row := range []struct{ procedure, body, contains string }{
		{"JobService/SubmitJob", `{"command":["true"],"idempotency-key":"k"}`, `unknown field \"idempotency-key\"`},
		{"JobService/SubmitJob", `{"command":["true"],"command":["false"]}`, `duplicate field \"command\"`},
		{"JobService/GetJob", `{"job":"x"}`, `unknown field \"job\"`},
		{"JobService/ListJobs", `{"states":["running"]}`, `invalid value for enum field states: \"running\"`},
		{"JobService/ListJobs", `{"states":["JOB_STATE_RUNNNG"]}`, `JOB_STATE_RUNNNG`},
		{"JobService/ListJobs", `{"states":[99]}`, `states has unknown state 99`},
		{"JobService/ListJobs", `{"outcomes":["lost"]}`, `invalid value for enum field outcomes: \"lost\"`},
		{"JobService/ListJobs", `{"state":["JOB_STATE_RUNNING"]}`, `unknown field \"state\"`},
		{"JobService/ListJobs", ``, `the body is empty`},
		{"JobService/CancelJob", `{"id":"x","why":"y"}`, `unknown field \"why\"`},
		{"WorkerService/ListWorkers", `{"states":["connected"]}`, `invalid value for enum field states: \"connected\"`},
		{"WorkerService/PauseWorker", `{"name":"x"}`, `unknown field \"name\"`},
		{"WorkerService/ResumeWorker", `{"name":"x"}`, `unknown field \"name\"`},
		{"WorkerService/StopWorker", `{"id":"x","forced":true}`, `unknown field \"forced\"`},
	} {
		for _, contentType := range []string{"application/json", "application/json; charset=utf-8"} {
			status, body := b.call(row.procedure, contentType, []byte(row.body))
			if status != http.StatusBadRequest || !strings.Contains(body, row.contains) || !strings.Contains(body, "invalid_argument") {
				t.Errorf("%s with %s as %s: %d %s, want 400 and %s", row.procedure, row.body, contentType, status, body, row.contains)
			}
		}
	}
	if status, body := b.call("JobService/ListJobs", "application/json", []byte(`{"states":["JOB_STATE_RUNNING"]}`)); status != http.StatusOK {
		t.Errorf("a correct request: %d %s", status, body)
	}
}

// The stream refuses a misspelled field too, in its own way: in its last message.
func TestMisspelledJSONOfAStream(t *testing.T) {
	b := start(t)
	message := `{"id":"x","offset":7}`
	envelope := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	_, body := b.call("JobService/FollowJob", "application/connect+json", append(envelope, message...))
	if !strings.Contains(body, `unknown field \"offset\"`) || !strings.Contains(body, "invalid_argument") {
		t.Errorf("the stream ended with %q", body)
	}
}

// An unknown field in protobuf's binary form is ignored: a newer client sends it.
func TestUnknownFieldInBinary(t *testing.T) {
	b := start(t)
	message, err := proto.Marshal(&switchyardv1.ListJobsRequest{PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	message = protowire.AppendVarint(protowire.AppendTag(message, 999, protowire.VarintType), 1)
	if status, body := b.call("JobService/ListJobs", "application/proto", message); status != http.StatusOK {
		t.Errorf("got %d %q, want 200", status, body)
	}
}
