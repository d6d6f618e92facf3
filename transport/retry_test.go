package transport_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/internal/memnet"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// TestRetries shows, for each call, which answers are worth another try, how
// often, and how long that takes.
func TestRetries(t *testing.T) {
	ok := reply(200, `{"id":"j1","state":"running"}`)
	refused := reply(422, `{"message":"no"}`)
	unavailable := reply(503, `{"message":"busy"}`)
	gateway := reply(502, `<html>bad gateway</html>`)
	page := reply(200, `<html>log in</html>`)
	limited := reply(429, `{"message":"slow down"}`)
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
		answers     steps
		tries       int64
		least, most time.Duration // that it takes
		err         error         // in the chain
		retryable   bool
		refused     bool
	}{
		{name: "connect, whatever the error", call: connect, answers: steps{refused, page, cut, gateway}, tries: 2, least: 2500 * time.Millisecond, most: 7500 * time.Millisecond},
		{name: "connect, refused to the end", call: connect, answers: steps{refused}, tries: 10, least: 22500 * time.Millisecond, most: 67500 * time.Millisecond, refused: true, err: errAny},
		{name: "disconnect", call: disconnect, answers: steps{gateway}, tries: 4, least: 3 * time.Second, most: 3 * time.Second, err: errAny, retryable: true},
		{name: "heartbeat", call: heartbeat, answers: steps{unavailable, page, cut, ok}, tries: 4, least: 15 * time.Second, most: 15 * time.Second},
		{name: "heartbeat refused", call: heartbeat, answers: steps{reply(401, `{"message":"who?"}`)}, tries: 1, err: errAny, refused: true},
		{name: "heartbeat never answered", call: heartbeat, answers: steps{silent}, tries: 10, least: 645 * time.Second, most: 645 * time.Second, err: transport.ErrNoAnswer, retryable: true},
		{name: "ping is not tried again", call: ping, answers: steps{unavailable, ok}, tries: 1, err: errAny, retryable: true},
		{name: "ping refused", call: ping, answers: steps{reply(403, `{"message":"no"}`)}, tries: 1, err: errAny, refused: true},
		{name: "ping refused by a proxy is no refusal", call: ping, answers: steps{reply(403, `<html>denied</html>`)}, tries: 1, err: errAny},
		{name: "ping answered by a page", call: ping, answers: steps{page}, tries: 1, err: transport.ErrUndecodable, retryable: true},
		{name: "ping answered by nothing", call: ping, answers: steps{reply(200, ``)}, tries: 1, err: transport.ErrUndecodable, retryable: true},
		{name: "ping with a job that has no id", call: ping, answers: steps{reply(200, `{"job":{}}`)}, tries: 1, err: transport.ErrUndecodable, retryable: true},
		{name: "ping with a job whose id has no end", call: ping, answers: steps{reply(200, `{"job":{"id":"`+strings.Repeat("j", 256)+`"}}`)}, tries: 1, err: transport.ErrUndecodable, retryable: true},
		{name: "ping never answered", call: ping, answers: steps{silent}, tries: 1, least: 10 * time.Second, most: 10 * time.Second, err: transport.ErrNoAnswer, retryable: true},
		{name: "ping redirected to a login", call: ping, answers: steps{reply(302, ``)}, tries: 1, err: errAny},
		{name: "accept without an answer", call: accept, answers: steps{cut, page, gateway, reply(200, `{}`), reply(200, `{"id":"j2"}`), ok}, tries: 6, least: 25 * time.Second, most: 25 * time.Second},
		{name: "accept never answered: ten seconds each", call: accept, answers: steps{silent}, tries: 30, least: 445 * time.Second, most: 445 * time.Second, err: transport.ErrNoAnswer, retryable: true},
		{name: "accept refused", call: accept, answers: steps{refused}, tries: 1, err: errAny, refused: true},
		{name: "accept refused without a word", call: accept, answers: steps{reply(404, ``)}, tries: 1, err: errAny},
		{name: "accept failed by the control plane", call: accept, answers: steps{reply(500, `{"message":"oops"}`), ok}, tries: 1, err: errAny, retryable: true},
		{name: "acquire waits for the lock", call: acquire, answers: steps{reply(423, `{"message":"locked"}`), limited, unavailable, cut, ok}, tries: 5, least: 11 * time.Second, most: 35 * time.Second},
		{name: "acquire locked to the end", call: acquire, answers: steps{reply(423, ``)}, tries: 7, least: 57 * time.Second, most: 93 * time.Second, err: transport.ErrAcquireLocked},
		{name: "acquire gives up in time", call: acquire, answers: steps{reply(423, ``, "Retry-After", "100")}, tries: 4, least: 300 * time.Second, most: 330 * time.Second, err: transport.ErrAcquireLocked},
		{name: "acquire rejected", call: acquire, answers: steps{refused}, tries: 1, err: transport.ErrAcquireRejected, refused: true},
		{name: "acquire unknown", call: acquire, answers: steps{reply(404, `{"message":"no such job"}`)}, tries: 1, err: errAny, refused: true},
		{name: "start", call: start, answers: steps{unavailable}, tries: 7, least: 63 * time.Second, most: 63 * time.Second, err: errAny, retryable: true},
		{name: "start refused", call: start, answers: steps{refused}, tries: 1, err: errAny, refused: true},
		{name: "chunk", call: chunk, answers: steps{unavailable}, tries: 12, least: 460 * time.Second, most: 710 * time.Second, err: errAny, retryable: true},
		{name: "chunk survives a 429", call: chunk, answers: steps{limited, ok}, tries: 2, least: 1600 * time.Millisecond, most: 2400 * time.Millisecond},
		{name: "chunk refused", call: chunk, answers: steps{refused}, tries: 1, err: errAny, refused: true},
		{name: "state is not tried again", call: state, answers: steps{unavailable}, tries: 1, err: errAny, retryable: true},
		{name: "finish", call: finish, answers: steps{gateway, cut, ok}, tries: 3, least: 4160 * time.Millisecond, most: 6240 * time.Millisecond},
		{name: "finish refused", call: finish, answers: steps{refused}, tries: 1, err: errAny, refused: true},
		{name: "finish within an hour", call: finish, answers: steps{reply(503, ``, "Retry-After", "1600")}, tries: 3, least: 3200 * time.Second, most: 3600 * time.Second, err: errAny, retryable: true},
		{name: "Retry-After longer than the schedule", call: heartbeat, answers: steps{reply(503, ``, "Retry-After", "40"), ok}, tries: 2, least: 40 * time.Second, most: 44 * time.Second},
		{name: "Retry-After shorter than the schedule", call: heartbeat, answers: steps{reply(429, ``, "Retry-After", "0.5"), ok}, tries: 2, least: 500 * time.Millisecond, most: 550 * time.Millisecond},
		{name: "Retry-After as a date", call: heartbeat, answers: steps{reply(503, ``, "Retry-After", syncStart.Add(30*time.Second).UTC().Format(http.TimeFormat)), ok}, tries: 2, least: 30 * time.Second, most: 33 * time.Second},
		{name: "Retry-After holds for one wait", call: heartbeat, answers: steps{reply(503, ``, "Retry-After", "40"), unavailable, ok}, tries: 3, least: 45 * time.Second, most: 49 * time.Second},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answers := &script{steps: row.answers}
				session := newBed(t, registering(answers)).register(t)
				started := time.Now()
				err := row.call(t.Context(), session)
				took := time.Since(started)

				switch {
				case row.err == nil && err != nil:
					t.Fatalf("failed: %v", err)
				case row.err != nil && err == nil:
					t.Fatal("did not fail")
				case row.err != nil && row.err != errAny && !errors.Is(err, row.err): //nolint:errorlint // a mark, not an error
					t.Errorf("got %v, want %v", err, row.err)
				}
				if tries := answers.calls.Load(); tries != row.tries {
					t.Errorf("%d tries, want %d", tries, row.tries)
				}
				if took < row.least || took > row.most {
					t.Errorf("took %s, want %s to %s", took, row.least, row.most)
				}
				if got := transport.Retryable(err); got != row.retryable {
					t.Errorf("Retryable(%v) = %t", err, got)
				}
				if got := transport.Refused(err); got != row.refused {
					t.Errorf("Refused(%v) = %t", err, got)
				}
			})
		})
	}
}

// errAny stands for an error that has no name.
var errAny = errors.New("any error")

func TestRegisterRetries(t *testing.T) {
	rows := []struct {
		name    string
		answers []http.HandlerFunc
		tries   int64
		took    time.Duration // give or take a half
		errHas  string
		refused bool
	}{
		{"until it works", []http.HandlerFunc{reply(503, ``), reply(200, `{"id":"a"}`), reply(200, `{"access_token":"s"}`), reply(200, registerAnswer)}, 4, 30 * time.Second, "", false},
		{"not with a wrong token", []http.HandlerFunc{reply(401, `{"message":"wrong token"}`)}, 1, 0, "401 Unauthorized: wrong token", true},
		{"not with a proxy that refuses", []http.HandlerFunc{reply(407, `no`)}, 1, 0, `407 Proxy Authentication Required, not from the control plane: "no"`, false},
		{"thirty times", []http.HandlerFunc{reply(500, ``)}, 30, 290 * time.Second, "500 Internal Server Error without a message", false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answers := &script{steps: row.answers}
				bed := newBed(t, answers)
				started := time.Now()
				_, err := bed.Register(t.Context(), registrationToken, wire.RegisterRequest{})
				if (err != nil) != (row.errHas != "") || err != nil && !strings.Contains(err.Error(), row.errHas) {
					t.Errorf("got %v, want %q", err, row.errHas)
				}
				if took := time.Since(started); took < row.took/2 || took > row.took*3/2 || answers.calls.Load() != row.tries {
					t.Errorf("took %s and %d tries, want %s and %d", took, answers.calls.Load(), row.took, row.tries)
				}
				if transport.Refused(err) != row.refused {
					t.Errorf("Refused(%v) = %t", err, !row.refused)
				}
			})
		})
	}
}

// TestCallerEnds shows that a call returns when its caller's context ends,
// whatever it is waiting for, and says why.
func TestCallerEnds(t *testing.T) {
	because := errors.New("the worker is told to leave")
	rows := []struct {
		name    string
		answer  http.HandlerFunc
		network func(*memnet.Network)
	}{
		{name: "waiting for an answer", answer: silent},
		{name: "between two tries", answer: reply(502, ``)},
		{name: "connecting", answer: silent, network: func(m *memnet.Network) { m.Hang.Store(true) }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bed := newBed(t, registering(row.answer))
				session := bed.register(t)
				if row.network != nil {
					row.network(bed.network)
					bed.network.Dark.Store(true) // so that the open connection is of no use
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

// TestTokensStayOut looks for tokens in errors and logs while a control plane
// repeats them in everything it says.
func TestTokensStayOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		echo := func(w http.ResponseWriter, r *http.Request) {
			reply(503, `{"message":"you sent `+r.Header.Get("Authorization")+`"}`)(w, r)
		}
		mistyped := reply(200, `{"id":["session-secret"],"job":"session-secret","state":["job-secret"],"token":7}`)
		mux := http.NewServeMux()
		mux.HandleFunc("/", echo)
		mux.HandleFunc("/v3/ping", mistyped)
		mux.HandleFunc("/v3/jobs/j2/accept", mistyped)
		bed := newBed(t, registering(mux))
		session := bed.register(t)
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
		for _, entry := range bed.logs.All() {
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
