package worldtest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"google.golang.org/protobuf/proto"

	"github.com/switchyard-ci/switchyard/internal/promises"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// TestImpossibleHistoriesAreFound breaks one promise in each trial.
func TestImpossibleHistoriesAreFound(t *testing.T) {
	for name, broke := range map[string]func(*world){
		"every start is granted":          breaking(startAlways),
		"results are dropped":             breaking(dropResult),
		"submissions are forgotten":       breaking(answerWithOtherID),
		"a read is as old as the first":   breaking(new(oldReads).handle),
		"a key is not used":               breaking(dropKey),
		"tags are not stored":             breaking(dropTags),
		"a cancellation has no effect":    breaking(dropCancel),
		"a result is refused after start": breaking(refuseResult),
	} {
		t.Run(name, func(t *testing.T) {
			var h []porcupine.Operation
			inBubble(t, func(t *testing.T) { h = recordHistory(t, 1, broke) })
			if result := porcupine.CheckOperationsTimeout(promises.Model(), h, time.Minute); result != porcupine.Illegal {
				t.Errorf("the history of %d requests is %s, want %s", len(h), result, porcupine.Illegal)
			}
		})
	}
}

// oldReads responds to every read of a job with the response to the first one.
type oldReads struct {
	mu    sync.Mutex
	first map[string]*httptest.ResponseRecorder
}

func (o *oldReads) handle(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
	if routeOf(r.URL.Path) != "GetJob" {
		return false
	}
	body := bodyOf(r)
	r.Header.Del("Accept-Encoding")
	recorded := httptest.NewRecorder()
	next.ServeHTTP(recorded, r)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.first == nil {
		o.first = map[string]*httptest.ResponseRecorder{}
	}
	if o.first[body] == nil {
		o.first[body] = recorded
	}
	w.Header().Set("Content-Type", o.first[body].Header().Get("Content-Type"))
	w.WriteHeader(o.first[body].Code)
	_, _ = w.Write(o.first[body].Body.Bytes())
	return true
}

// dropKey submits without the idempotency key.
func dropKey(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
	if routeOf(r.URL.Path) != "SubmitJob" {
		return false
	}
	editSubmission(r, func(request *switchyardv1.SubmitJobRequest) { request.IdempotencyKey = "" })
	next.ServeHTTP(w, r)
	return true
}

// editSubmission changes the body of a SubmitJob.
func editSubmission(r *http.Request, edit func(*switchyardv1.SubmitJobRequest)) {
	var request switchyardv1.SubmitJobRequest
	if err := proto.Unmarshal([]byte(bodyOf(r)), &request); err != nil {
		panic(err)
	}
	edit(&request)
	body, err := proto.Marshal(&request)
	if err != nil {
		panic(err)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
}

// dropCancel acknowledges cancellations and requests none.
func dropCancel(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	if routeOf(r.URL.Path) != "CancelJob" {
		return false
	}
	w.Header().Set("Content-Type", "application/proto")
	return true
}

// refuseResult refuses every result.
func refuseResult(w http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	if routeOf(r.URL.Path) != wire.PathFinish {
		return false
	}
	w.WriteHeader(http.StatusUnprocessableEntity)
	_, _ = io.WriteString(w, `{"message":"a trial"}`)
	return true
}

// bodyOf returns the body of a request, which can still be read.
func bodyOf(r *http.Request) string {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return string(body)
}
