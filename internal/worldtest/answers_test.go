package worldtest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/switchyard-ci/switchyard/fsm"
	_ "github.com/switchyard-ci/switchyard/proto/switchyard/v1" // registers the services
)

// answerBound is how long a user waits for the answer to a call, whatever the store does.
const answerBound = 5 * time.Second

const (
	// atOnce is more than a call takes that waits for nothing. mayWait is how many calls may
	// wait for a store that is away, and noticed how long after its return they succeed.
	atOnce  = 100 * time.Millisecond
	mayWait = 2
	noticed = 3 * time.Second
)

// answeredFromMemory are the calls that need no store.
var answeredFromMemory = words("TokenService/ListTokens WorkerService/GetWorker WorkerService/ListWorkers QueueService/GetQueue QueueService/ListQueues")

// requestsOfUsers returns a valid request for each call of switchyard.v1 with one answer,
// about a job and a worker that exist. Of the many jobs each would wait for the store.
func requestsOfUsers(jobID, workerID string) map[string]string {
	job, worker := `{"id":"`+jobID+`"}`, `{"id":"`+workerID+`","reason":"its disk"}`
	submitted := `{"command":["true"],"idempotencyKey":"%d"}`
	many := make([]string, 500)
	for i := range many {
		many[i] = fmt.Sprintf(submitted, i)
	}
	return map[string]string{
		"JobService/SubmitJob":         fmt.Sprintf(submitted, len(many)),
		"JobService/SubmitJobs":        `{"jobs":[` + strings.Join(many, ",") + `]}`,
		"JobService/GetJob":            job,
		"JobService/ListJobs":          `{}`,
		"JobService/RerunJob":          job,
		"JobService/CancelJob":         job,
		"JobService/DeleteJob":         job,
		"WorkerService/ListWorkers":    `{}`,
		"WorkerService/GetWorker":      `{"id":"` + workerID + `"}`,
		"WorkerService/PauseWorker":    worker,
		"WorkerService/ResumeWorker":   `{"id":"` + workerID + `"}`,
		"WorkerService/StopWorker":     worker,
		"WorkerService/RevokeWorker":   worker,
		"TokenService/CreateToken":     `{"name":"t","scope":"TOKEN_SCOPE_READ"}`,
		"TokenService/ListTokens":      `{}`,
		"TokenService/RevokeToken":     `{"id":"named"}`,
		"QueueService/GetQueue":        `{"name":"default"}`,
		"QueueService/ListQueues":      `{}`,
		"QueueService/PauseQueue":      `{"name":"default","reason":"its disk"}`,
		"QueueService/ResumeQueue":     `{"name":"default"}`,
		"AuditService/ListAuditEvents": `{}`,
	}
}

// callsWithOneAnswer returns every call of switchyard.v1 that is not a stream.
func callsWithOneAnswer() (calls []string) {
	protoregistry.GlobalFiles.RangeFilesByPackage("switchyard.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				if method := service.Methods().Get(j); !method.IsStreamingServer() {
					calls = append(calls, string(service.Name())+"/"+string(method.Name()))
				}
			}
		}
		return true
	})
	slices.Sort(calls)
	return calls
}

// Each call of a user has an answer within seconds while the store is away, or is back
// without its streams, and says that it is the store. The first calls wait whether it
// responds; then it is known to be away, and they have their answer at once.
func TestUsersHaveAnAnswerWithoutTheStore(t *testing.T) {
	for name, back := range map[string]bool{"away": false, "without its streams": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newWorld(t, 1, fsm.Auto)
				defer w.close()
				w.submit("3m", "0", 0, 0)
				pass(2 * time.Second)
				w.calls.Wait()
				requests := requestsOfUsers(sorted(w.submitted)[0], w.agents[0].workerID())
				if status, text := w.callAsUser(t, "TokenService/CreateToken", `{"name":"named","scope":"TOKEN_SCOPE_READ"}`); status != http.StatusOK {
					t.Fatalf("creating a token: %d %s", status, text)
				}
				w.storage.stop()
				if back {
					pass(time.Second)
					must(t, w.storage.startWith(false))
				}
				waited := 0
				for _, call := range callsWithOneAnswer() {
					body, known := requests[call]
					if !known {
						t.Errorf("no request for the call %s", call)
						continue
					}
					begun := time.Now()
					status, text := w.callAsUser(t, call, body)
					if took := time.Since(begun); took > answerBound {
						t.Errorf("%s: answered after %v", call, took)
					} else if took > atOnce {
						waited++
					}
					switch {
					case call == "JobService/SubmitJobs" && status == http.StatusOK: // each job has its own error
						mustFailEach(t, text)
					case status == http.StatusOK && slices.Contains(answeredFromMemory, call):
					case status != http.StatusServiceUnavailable || !strings.Contains(text, "the store does not answer; try again"):
						t.Errorf("%s: %d %s, want unavailable, and the cause", call, status, text)
					}
				}
				if waited > mayWait {
					t.Errorf("%d calls waited for the store, want at most %d: it was known to be away", waited, mayWait)
				}
				w.storage.stop()
				must(t, w.storage.start())
				pass(noticed)
				if status, text := w.callAsUser(t, "JobService/ListJobs", `{}`); status != http.StatusOK {
					t.Errorf("%d %s %v after the store was back", status, text, noticed)
				}
			})
		})
	}
}

// callAsUser makes a call in JSON and returns the status and the body of the response.
func (w *world) callAsUser(t *testing.T, call, body string) (status int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(w.ctx, http.MethodPost, "http://control.test/switchyard.v1."+call, strings.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+adminToken)
	res, err := w.client.Do(req)
	must(t, err)
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	must(t, err)
	return res.StatusCode, string(content)
}

// mustFailEach checks that each job of a SubmitJobs was refused for the store.
func mustFailEach(t *testing.T, response string) {
	t.Helper()
	var got struct {
		Results []struct {
			Message string `json:"message"`
		} `json:"results"`
	}
	must(t, json.Unmarshal([]byte(response), &got))
	if len(got.Results) == 0 {
		t.Errorf("SubmitJobs: no results in %s", response)
	}
	for _, result := range got.Results {
		if !strings.Contains(result.Message, "the store does not answer; try again") {
			t.Errorf("SubmitJobs: a job has the result %+v", result)
			return
		}
	}
}
