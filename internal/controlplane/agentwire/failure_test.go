package agentwire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// Every kind of error has a status, a message and at most one log line. Errors of
// the store name subjects, files and addresses, and must not be sent.
func TestWriteFailure(t *testing.T) {
	t.Parallel()
	const (
		tryAgain = "the control plane is temporarily unavailable; try again"
		internal = "internal error; see the control plane's log"
	)
	inside := errors.New("storing switchyard.state.job.1 in /var/lib/switchyard/jetstream")
	for _, row := range []struct {
		name       string
		err        error
		status     int
		message    string
		retryAfter string
		logged     zapcore.Level
	}{
		{"a bad request", badRequest("body: key must be text"), 400, "body: key must be text", "", 0},
		{"nothing found", notFound("key: it is not set"), 404, "key: it is not set", "", 0},
		{"too large", tooLarge("body: more than 3 bytes"), 413, "body: more than 3 bytes", "", 0},
		{
			"locked", fmt.Errorf("acquiring: %w", &httpError{http.StatusLocked, "on offer", "2"}),
			423, "on offer", "2", 0,
		},
		{"no token", fmt.Errorf("x: %w", dispatch.ErrUnauthenticated), 401, jobToken.required(), "", zapcore.WarnLevel},
		{"not found", fmt.Errorf("%w: %w", inside, dispatch.ErrNotFound), 404, "no such job or worker, or the token does not belong to it", "", 0},
		{
			"wrong state", fmt.Errorf("starting a job: %w", &dispatch.StateError{Problem: "job 1 is lost"}),
			422, "starting a job: job 1 is lost", "", 0,
		},
		{
			"invalid", fmt.Errorf("registering a worker: %w", &record.InvalidError{Field: "name", Problem: "must not be empty"}),
			400, "registering a worker: name must not be empty", "", 0,
		},
		{"too large to be stored", fmt.Errorf("%w: %w", inside, store.ErrTooLarge), 413, "the request is too large to be stored", "", 0},
		{"store unavailable", fmt.Errorf("%w: %w", inside, store.ErrUnavailable), 503, tryAgain, "2 to 6", zapcore.WarnLevel},
		{"conflict", fmt.Errorf("%w: %w", inside, store.ErrConflict), 503, tryAgain, "2 to 6", zapcore.WarnLevel},
		{"dispatcher closed", fmt.Errorf("%w: %w", inside, dispatch.ErrClosed), 503, tryAgain, "2 to 6", zapcore.WarnLevel},
		{"caller canceled", fmt.Errorf("%w: %w", inside, context.Canceled), 503, tryAgain, "2 to 6", zapcore.WarnLevel},
		{"deadline exceeded", fmt.Errorf("%w: %w", inside, context.DeadlineExceeded), 503, tryAgain, "2 to 6", zapcore.WarnLevel},
		{"any other error", inside, 500, internal, "", zapcore.ErrorLevel},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			core, logs := observer.New(zapcore.DebugLevel)
			h := New(nil, Options{Logger: zap.New(core)})
			recorder := httptest.NewRecorder()
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPut, "/v3/jobs/1/start", nil)
			h.writeFailure(recorder, req, route{method: http.MethodPut, path: "jobs/{id}/start", token: jobToken}, row.err)

			var body map[string]any
			if err := json.Unmarshal(recorder.Body.Bytes(), &body); err != nil {
				t.Fatalf("the body is %q: %v", recorder.Body, err)
			}
			if recorder.Code != row.status || len(body) != 1 || body["message"] != row.message {
				t.Errorf("response %d, %v; want %d and only message %q", recorder.Code, body, row.status, row.message)
			}
			header := recorder.Header()
			if !inRange(header.Get("Retry-After"), row.retryAfter) || header.Get("Content-Type") != "application/json" {
				t.Errorf("headers are %v, want Retry-After %q and JSON", header, row.retryAfter)
			}
			if challenge := header.Get("WWW-Authenticate"); (challenge != "") != (row.status == http.StatusUnauthorized) {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
			switch entries := logs.All(); {
			case row.logged == 0 && len(entries) > 0:
				t.Errorf("logged %v, want nothing", entries)
			case row.logged != 0 && (len(entries) != 1 || entries[0].Level != row.logged):
				t.Errorf("logged %v, want one line at %v", entries, row.logged)
			}
		})
	}
}

// A stream that cannot be served says when to try again, as calls do.
func TestUnavailableStream(t *testing.T) {
	t.Parallel()
	h := New(nil, Options{Logger: zap.NewNop()})
	err := h.streamError(t.Context(), "w", fmt.Errorf("reading: %w", store.ErrUnavailable))
	failed, ok := errors.AsType[*connect.Error](err)
	if !ok || failed.Code() != connect.CodeUnavailable || !inRange(failed.Meta().Get("Retry-After"), "2 to 6") {
		t.Errorf("got %v with %v", err, failed.Meta())
	}
}

// inRange reports whether got is want, or a whole number within "FROM to TO".
func inRange(got, want string) bool {
	from, to, ok := strings.Cut(want, " to ")
	if !ok {
		return got == want
	}
	n, err := strconv.Atoi(got)
	low, _ := strconv.Atoi(from)
	high, _ := strconv.Atoi(to)
	return err == nil && n >= low && n <= high
}
