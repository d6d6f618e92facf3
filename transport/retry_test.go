package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/memnet"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// TestRetries shows which responses to each call are tried again, how often, and how long
// that takes.
func TestRetries(t *testing.T) {
	ok := reply(200, `{"id":"j1","state":"running"}`)
	refused := reply(422, `{"message":"no"}`)
	unavailable := reply(503, `{"message":"busy"}`)
	gateway := reply(502, `<html>bad gateway</html>`)
	page := reply(200, `<html>log in</html>`)
	limited := reply(429, `{"message":"slow down"}`)
	soon := reply(503, ``, "Retry-After", "1") // sooner than any schedule
	cut := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

	connect := func(ctx context.Context, s *transport.Session) error { return s.Connect(ctx) }
	disconnect := func(ctx context.Context, s *transport.Session) error { return s.Disconnect(ctx) }
	heartbeat := func(ctx context.Context, s *transport.Session) error { return s.Heartbeat(ctx) }
	ping := func(ctx context.Context, s *transport.Session) error { _, err := s.Ping(ctx); return err }
	accept := func(ctx context.Context, s *transport.Session) error { _, err := s.Accept(ctx, "j1"); return err }
	acquire := func(ctx context.Context, s *transport.Session) error { _, err := s.Acquire(ctx, "j1"); return err }
	job := func(s *transport.Session) *transport.JobSession { return s.Job(wire.Job{ID: "j1"}) }
	start := func(ctx context.Context, s *transport.Session) error { return job(s).Start(ctx, time.Now()) }
	chunk := func(ctx context.Context, s *transport.Session) error {
		return job(s).Chunk(ctx, wire.Chunk{Sequence: 1, Data: []byte("x")})
	}
	state := func(ctx context.Context, s *transport.Session) error { _, err := job(s).State(ctx); return err }
	finish := func(ctx context.Context, s *transport.Session) error {
		return job(s).Finish(ctx, wire.FinishRequest{ExitStatus: "0"})
	}

	type steps []http.HandlerFunc
	rows := []struct {
		name        string
		call        func(context.Context, *transport.Session) error
		responses   steps
		tries       int64
		least, most time.Duration // of the whole call
		err         error         // in the chain
		retryable   bool
		refused     bool
	}{
		{name: "connect after any error", call: connect, responses: steps{refused, page, cut, gateway}, tries: 2, least: 2500 * time.Millisecond, most: 7500 * time.Millisecond},
		{name: "connect, always refused", call: connect, responses: steps{refused}, tries: 10, least: 22500 * time.Millisecond, most: 67500 * time.Millisecond, refused: true, err: errAny},
		{name: "disconnect", call: disconnect, responses: steps{gateway}, tries: 4, least: 3 * time.Second, most: 3 * time.Second, err: errAny, retryable: true},
		{name: "heartbeat", call: heartbeat, responses: steps{unavailable, page, cut, ok}, tries: 4, least: 15 * time.Second, most: 15 * time.Second},
		{name: "heartbeat refused", call: heartbeat, responses: steps{reply(401, `{"message":"who?"}`)}, tries: 1, err: errAny, refused: true},
		{name: "heartbeat without a response", call: heartbeat, responses: steps{silent}, tries: 10, least: 645 * time.Second, most: 645 * time.Second, err: transport.ErrNoAnswer, retryable: true},
		{name: "ping is not tried again", call: ping, responses: steps{unavailable, ok}, tries: 1, err: errAny, retryable: true},
		{name: "ping refused", call: ping, responses: steps{reply(403, `{"message":"no"}`)}, tries: 1, err: errAny, refused: true},
		{name: "a refusal by a proxy is not the control plane's", call: ping, responses: steps{reply(403, `<html>denied</html>`)}, tries: 1, err: errAny},
		{name: "ping with an HTML page", call: ping, responses: steps{page}, tries: 1, err: transport.ErrUndecodable, retryable: true},
		{name: "ping with an empty body", call: ping, responses: steps{reply(200, ``)}, tries: 1, err: transport.ErrUndecodable, retryable: true},
		{name: "ping with a job without an ID", call: ping, responses: steps{reply(200, `{"job":{}}`)}, tries: 1, err: transport.ErrUndecodable, retryable: true},
		{name: "ping with a job whose ID is too long", call: ping, responses: steps{reply(200, `{"job":{"id":"`+strings.Repeat("j", 256)+`"}}`)}, tries: 1, err: transport.ErrUndecodable, retryable: true},
		{name: "ping without a response", call: ping, responses: steps{silent}, tries: 1, least: 10 * time.Second, most: 10 * time.Second, err: transport.ErrNoAnswer, retryable: true},
		{name: "ping redirected to a login", call: ping, responses: steps{reply(302, ``)}, tries: 1, err: errAny},
		{name: "accept without a usable response", call: accept, responses: steps{cut, page, gateway, reply(200, `{}`), reply(200, `{"id":"j2"}`), ok}, tries: 6, least: 25 * time.Second, most: 25 * time.Second},
		{name: "accept without a response: ten seconds each", call: accept, responses: steps{silent}, tries: 30, least: 445 * time.Second, most: 445 * time.Second, err: transport.ErrNoAnswer, retryable: true},
		{name: "accept refused", call: accept, responses: steps{refused}, tries: 1, err: errAny, refused: true},
		{name: "accept refused without a message", call: accept, responses: steps{reply(404, ``)}, tries: 1, err: errAny},
		{name: "accept with an error of the control plane", call: accept, responses: steps{reply(500, `{"message":"oops"}`), ok}, tries: 1, err: errAny, retryable: true},
		{name: "acquire waits for the lock", call: acquire, responses: steps{reply(423, `{"message":"locked"}`), limited, unavailable, cut, ok}, tries: 5, least: 11 * time.Second, most: 35 * time.Second},
		{name: "acquire, always locked", call: acquire, responses: steps{reply(423, ``)}, tries: 7, least: 57 * time.Second, most: 93 * time.Second, err: transport.ErrAcquireLocked},
		{name: "acquire with a limit of 330 s", call: acquire, responses: steps{reply(423, ``, "Retry-After", "100")}, tries: 4, least: 300 * time.Second, most: 330 * time.Second, err: transport.ErrAcquireLocked},
		{name: "acquire rejected", call: acquire, responses: steps{refused}, tries: 1, err: transport.ErrAcquireRejected, refused: true},
		{name: "acquire unknown", call: acquire, responses: steps{reply(404, `{"message":"no such job"}`)}, tries: 1, err: errAny, refused: true},
		{name: "start", call: start, responses: steps{unavailable}, tries: 7, least: 63 * time.Second, most: 63 * time.Second, err: errAny, retryable: true},
		{name: "start refused", call: start, responses: steps{refused}, tries: 1, err: errAny, refused: true},
		{name: "chunk", call: chunk, responses: steps{unavailable}, tries: 12, least: 460 * time.Second, most: 710 * time.Second, err: errAny, retryable: true},
		{name: "chunk after a 429", call: chunk, responses: steps{limited, ok}, tries: 2, least: 1600 * time.Millisecond, most: 2400 * time.Millisecond},
		{name: "chunk refused", call: chunk, responses: steps{refused}, tries: 1, err: errAny, refused: true},
		{name: "state is not tried again", call: state, responses: steps{unavailable}, tries: 1, err: errAny, retryable: true},
		{name: "finish", call: finish, responses: steps{gateway, cut, ok}, tries: 3, least: 4160 * time.Millisecond, most: 6240 * time.Millisecond},
		{name: "finish refused", call: finish, responses: steps{refused}, tries: 1, err: errAny, refused: true},
		{name: "finish with a limit of an hour", call: finish, responses: steps{reply(503, ``, "Retry-After", "1600")}, tries: 3, least: 3200 * time.Second, most: 3600 * time.Second, err: errAny, retryable: true},
		{name: "Retry-After longer than the schedule", call: heartbeat, responses: steps{reply(503, ``, "Retry-After", "40"), ok}, tries: 2, least: 40 * time.Second, most: 44 * time.Second},
		{name: "heartbeat with a short Retry-After", call: heartbeat, responses: steps{soon}, tries: 10, least: 45 * time.Second, most: 45 * time.Second, err: errAny, retryable: true},
		{name: "connect with a short Retry-After", call: connect, responses: steps{soon}, tries: 10, least: 22500 * time.Millisecond, most: 67500 * time.Millisecond, err: errAny, retryable: true},
		{name: "accept with a short Retry-After", call: accept, responses: steps{soon}, tries: 30, least: 145 * time.Second, most: 145 * time.Second, err: errAny, retryable: true},
		{name: "acquire with a short Retry-After", call: acquire, responses: steps{soon}, tries: 7, least: 57 * time.Second, most: 95 * time.Second, err: errAny, retryable: true},
		{name: "start with a short Retry-After", call: start, responses: steps{soon}, tries: 7, least: 63 * time.Second, most: 63100 * time.Millisecond, err: errAny, retryable: true},
		{name: "chunk with a short Retry-After", call: chunk, responses: steps{soon}, tries: 12, least: 460 * time.Second, most: 710 * time.Second, err: errAny, retryable: true},
		{name: "finish with a short Retry-After", call: finish, responses: steps{soon}, tries: 12, least: 460 * time.Second, most: 710 * time.Second, err: errAny, retryable: true},
		{name: "Retry-After shorter than the schedule", call: heartbeat, responses: steps{reply(429, ``, "Retry-After", "0.5"), ok}, tries: 2, least: 5 * time.Second, most: 5 * time.Second},
		{name: "Retry-After as a date", call: heartbeat, responses: steps{reply(503, ``, "Retry-After", syncStart.Add(30*time.Second).UTC().Format(http.TimeFormat)), ok}, tries: 2, least: 30 * time.Second, most: 33 * time.Second},
		{name: "Retry-After applies to one wait", call: heartbeat, responses: steps{reply(503, ``, "Retry-After", "40"), unavailable, ok}, tries: 3, least: 45 * time.Second, most: 49 * time.Second},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				responses := &script{steps: row.responses}
				session := newHarness(t, registering(responses)).register(t)
				started := time.Now()
				err := row.call(t.Context(), session)
				took := time.Since(started)

				switch {
				case row.err == nil && err != nil:
					t.Fatalf("failed: %v", err)
				case row.err != nil && err == nil:
					t.Fatal("did not fail")
				case row.err != nil && row.err != errAny && !errors.Is(err, row.err): //nolint:errorlint // a marker, not an error
					t.Errorf("got %v, want %v", err, row.err)
				}
				if tries := responses.calls.Load(); tries != row.tries {
					t.Errorf("%d tries, want %d", tries, row.tries)
				}
				if took < row.least || took > row.most {
					t.Errorf("took %s, want %s to %s", took, row.least, row.most)
				}
				if got := transport.Retryable(err); got != row.retryable {
					t.Errorf("Retryable(%v) = %t", err, got)
				}
				if got := transport.Refused(err); got != row.refused || got != errors.Is(err, wire.ErrRefused) {
					t.Errorf("Refused(%v) = %t", err, got)
				}
			})
		})
	}
}

// errAny stands for any error.
var errAny = errors.New("any error")

func TestRegisterRetries(t *testing.T) {
	rows := []struct {
		name      string
		responses []http.HandlerFunc
		tries     int64
		took      time.Duration // plus or minus a half
		errHas    string
		refused   bool
	}{
		{"until it works", []http.HandlerFunc{reply(503, ``), reply(200, `{"id":"a"}`), reply(200, `{"access_token":"s"}`), reply(200, registerAnswer)}, 4, 7 * time.Second, "", false},
		{"not with a wrong token", []http.HandlerFunc{reply(401, `{"message":"wrong token"}`)}, 1, 0, "401 Unauthorized: wrong token", true},
		{"not with a proxy that refuses", []http.HandlerFunc{reply(407, `no`)}, 1, 0, `407 Proxy Authentication Required, not from the control plane: "no"`, false},
		{"for five minutes", []http.HandlerFunc{reply(500, ``)}, 33, 295 * time.Second, "500 Internal Server Error without a message", false},
		{"for five minutes, whatever a short Retry-After says", []http.HandlerFunc{reply(503, `{"message":"busy"}`, "Retry-After", "1")}, 33, 295 * time.Second, "503 Service Unavailable: busy", false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				responses := &script{steps: row.responses}
				harness := newHarness(t, responses)
				started := time.Now()
				_, err := harness.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{})
				if (err != nil) != (row.errHas != "") || err != nil && !strings.Contains(err.Error(), row.errHas) {
					t.Errorf("got %v, want %q", err, row.errHas)
				}
				if took := time.Since(started); took < row.took/2 || took > row.took*3/2 || responses.calls.Load() != row.tries {
					t.Errorf("took %s and %d tries, want %s and %d", took, responses.calls.Load(), row.took, row.tries)
				}
				if transport.Refused(err) != row.refused {
					t.Errorf("Refused(%v) = %t", err, !row.refused)
				}
			})
		})
	}
}

// TestCausesAreLogged checks that the tries of a call are logged at the level that people
// see, once for each cause.
func TestCausesAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		responses := &script{steps: []http.HandlerFunc{
			reply(503, ``), reply(503, `{"message":"busy"}`), reply(502, ``), reply(200, `{}`), reply(503, ``), reply(200, registerAnswer),
		}}
		harness := newHarness(t, responses)
		if _, err := harness.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{}); err != nil {
			t.Fatal(err)
		}
		var attempts []int64
		for _, entry := range harness.logs.FilterMessage("call failed; will retry").All() {
			if attempt, ok := entry.ContextMap()["attempt"].(int64); ok && entry.Level == zap.WarnLevel {
				attempts = append(attempts, attempt)
			}
		}
		if want := []int64{1, 3, 4}; !slices.Equal(attempts, want) {
			t.Errorf("warned of the attempts %d, want %d", attempts, want)
		}
	})
}

// TestRegisterWithChangedToken checks that each try has the token as it is then.
func TestRegisterWithChangedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		harness := newHarness(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent = append(sent, r.Header.Get("Authorization"))
			status := http.StatusServiceUnavailable
			if len(sent) == 3 {
				status = http.StatusOK
			}
			reply(status, registerAnswer)(w, r)
		}))
		tokens := 0
		token := func() string {
			tokens++
			return "registration-" + strconv.Itoa(tokens)
		}
		if _, err := harness.Register(t.Context(), token, wire.RegisterRequest{}); err != nil {
			t.Fatal(err)
		}
		if want := []string{"Token registration-1", "Token registration-2", "Token registration-3"}; !slices.Equal(sent, want) {
			t.Errorf("sent %q, want %q", sent, want)
		}
	})
}

// TestCallerEnds shows that a call returns the cause as soon as its caller's context ends.
func TestCallerEnds(t *testing.T) {
	because := errors.New("the worker is draining")
	rows := []struct {
		name     string
		response http.HandlerFunc
		network  func(*memnet.Network)
	}{
		{name: "waiting for a response", response: silent},
		{name: "between two tries", response: reply(502, ``)},
		{name: "connecting", response: silent, network: func(m *memnet.Network) { m.Hang.Store(true) }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				harness := newHarness(t, registering(row.response))
				session := harness.register(t)
				if row.network != nil {
					row.network(harness.network)
					harness.network.Dark.Store(true) // so that the open connection cannot be used
					if _, err := session.Ping(t.Context()); err == nil {
						t.Fatal("a ping into the dark succeeded")
					}
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				started := time.Now()
				time.AfterFunc(3*time.Second, func() { cancel(because) })
				_, err := session.Accept(ctx, "j1")
				if !errors.Is(err, because) || transport.Retryable(err) {
					t.Errorf("got %v, retryable %t", err, transport.Retryable(err))
				}
				if took := time.Since(started); took != 3*time.Second {
					t.Errorf("took %s", took)
				}
				synctest.Wait()
			})
		})
	}
}

// TestTokensAreNotLogged looks for tokens in errors and logs while a control plane repeats
// them in all its responses.
func TestTokensAreNotLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		echo := func(w http.ResponseWriter, r *http.Request) {
			reply(503, `{"message":"you sent `+r.Header.Get("Authorization")+`"}`)(w, r)
		}
		mistyped := reply(200, `{"id":["session-secret"],"job":"session-secret","state":["job-secret"],"token":7}`)
		mux := http.NewServeMux()
		mux.HandleFunc("/", echo)
		mux.HandleFunc("/v3/ping", mistyped)
		mux.HandleFunc("/v3/jobs/j2/accept", mistyped)
		harness := newHarness(t, registering(mux))
		session := harness.register(t)
		job := session.Job(wire.Job{ID: "j1", Token: jobToken})
		var said []string
		for _, call := range []func() error{
			func() error { return session.Disconnect(t.Context()) },
			func() error { return job.Start(t.Context(), time.Now()) },
			func() error { _, err := session.Ping(t.Context()); return err },
			func() error { _, err := session.Accept(t.Context(), "j2"); return err },
		} {
			err := call()
			if err == nil {
				t.Fatal("did not fail")
			}
			said = append(said, err.Error())
		}
		for _, entry := range harness.logs.All() {
			for key, value := range entry.ContextMap() {
				said = append(said, entry.Message+" "+key+" "+stringOf(value))
			}
		}
		if len(said) < 10 {
			t.Errorf("too little was said to show anything: %q", said)
		}
		for _, line := range said {
			if strings.Contains(line, "secret") || strings.Contains(line, "\n") {
				t.Errorf("said %q", line)
			}
		}
		if !strings.Contains(said[0], "[token]") {
			t.Errorf("the echo is not what was tested: %q", said[0])
		}
	})
}

func stringOf(value any) string {
	text, _ := value.(string)
	return text
}

// TestInvalidToken checks that status 401 is recognized as an invalid token, from
// the control plane and from a proxy, and no other status is.
func TestInvalidToken(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]bool{http.StatusUnauthorized: true, http.StatusForbidden: false, http.StatusNotFound: false} {
		for _, fromControlPlane := range []bool{false, true} {
			var err error = &transport.StatusError{Code: code, FromControlPlane: fromControlPlane}
			if got := errors.Is(fmt.Errorf("call: %w", err), wire.ErrTokenInvalid); got != want {
				t.Errorf("%v: invalid token: %t, want %t", err, got, want)
			}
		}
	}
}

// TestLogFull checks that status 413 of the control plane is recognized as the limit of
// a log, and the page of a proxy is not.
func TestLogFull(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		code             int
		fromControlPlane bool
		want             bool
	}{
		{http.StatusRequestEntityTooLarge, true, true},
		{http.StatusRequestEntityTooLarge, false, false},
		{http.StatusUnprocessableEntity, true, false},
	} {
		var err error = &transport.StatusError{Code: row.code, FromControlPlane: row.fromControlPlane}
		if got := errors.Is(fmt.Errorf("call: %w", err), wire.ErrLogFull); got != row.want {
			t.Errorf("%v: the limit of a log: %t, want %t", err, got, row.want)
		}
	}
}
