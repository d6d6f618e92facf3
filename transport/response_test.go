package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestDecode(t *testing.T) {
	rows := []struct {
		name, body, want string
	}{
		{"an object", ` {"id":"a"}`, ""},
		{"empty", " \n", "it is empty"},
		{"a page", "<html>\nlog in</html>", `it is an HTML page: log in`},
		{"null", "null", "it is not a JSON object"},
		{"a list", `["secret"]`, "it is not a JSON object"},
		{"cut off", `{"id":"a"`, "unexpected end of JSON input"},
		{"two", `{"id":"a"}{}`, "invalid character '{' after top-level value"},
		{"mistyped", `{"id":12345}`, `"id" is not a JSON string`},
		{"too long", `{"id":"` + strings.Repeat("x", maxBody) + `"}`, "longer than 16777216 bytes"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var into struct {
				ID string `json:"id"`
			}
			err := decode([]byte(row.body), &into)
			if row.want == "" {
				if err != nil || into.ID != "a" {
					t.Errorf("got %v, %q", err, into.ID)
				}
				return
			}
			if !errors.Is(err, ErrUndecodable) || !Retryable(err) || !strings.HasSuffix(err.Error(), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
		})
	}
}

// FuzzResponses decodes any body as each kind of response: nothing panics, and what is
// accepted is complete and within its bounds.
func FuzzResponses(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"id":"a","access_token":"s","ping_interval":0,"heartbeat_interval":-1,"endpoint":"http://x/"}`,
		`{"action":"pause","message":"m","job":{"id":""}}`, `{"job":null,"request_headers":{"Buildkite-A":"\u0000"}}`,
		`{"id":"j","env":{"A":null},"chunks_max_size_bytes":18446744073709551615,"log_max_size_bytes":-1}`,
		`[]`, `null`, ``, `<html>`, `{"id":1e999}`,
	} {
		f.Add([]byte(seed))
	}
	transport, err := New(Options{Endpoints: []string{"https://control.test/v3"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(transport.Close)
	f.Fuzz(func(t *testing.T, body []byte) {
		var register wire.RegisterResponse
		if err := decode(body, &register); err == nil {
			session := transport.newSession(transport.groups[0], register)
			for _, interval := range []time.Duration{session.PingInterval(), session.HeartbeatInterval(), session.JobStatusInterval()} {
				if interval < time.Second || interval > maxInterval {
					t.Errorf("interval %s", interval)
				}
			}
			if next, differs, err := nextEndpoint(transport.endpoints[0], register.Endpoint); err == nil && differs && !next.Secure() {
				t.Errorf("would move to %s", next)
			}
			for name := range session.RequestHeaders() {
				if !strings.HasPrefix(name, wire.RequestHeaderPrefix) {
					t.Errorf("header %q", name)
				}
			}
		} else if !errors.Is(err, ErrUndecodable) {
			t.Errorf("refused without a reason: %v", err)
		}
		var ping wire.PingResponse
		if err := decode(body, &ping); err == nil {
			instruction := pingInstruction(ping)
			if instruction.Kind != wire.JobAssigned && instruction.JobID != "" {
				t.Errorf("%+v", instruction)
			}
		}
		var job wire.Job
		if err := decode(body, &job); err == nil {
			if got := withDefaults(job); got.ChunkInterval < 1 || got.LogMaxSize == 0 {
				t.Errorf("%d, %d", got.LogMaxSize, got.ChunkInterval)
			}
		}
	})
}

// FuzzDecodeError shows that the error about a response never repeats a secret from
// it, in whichever field it is.
func FuzzDecodeError(f *testing.F) {
	for _, seed := range []string{`{"token":["SECRET"]}`, `{"access_token":7}`, `{"env":"SECRET"}`, `{"id":"SECRET`, `["SECRET"]`, `{"runnable_at":{"SECRET":1}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, into := range []any{&wire.RegisterResponse{}, &wire.PingResponse{}, &wire.Job{}} {
			err := decode(body, into)
			if err == nil || bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("<")) {
				continue // HTML is quoted; it is not from the control plane
			}
			if strings.ContainsAny(err.Error(), "\n\r\x00\x1b") || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("said %q of %q", err, body)
			}
		}
	})
}

func TestErrorBody(t *testing.T) {
	rows := []struct {
		name, body, message string
		own                 bool
	}{
		{"the control plane's message", `{"message":"wrong state"}`, "wrong state", true},
		{"with other fields", ` {"message":"wrong state","errors":[1]} `, "wrong state", true},
		{"on several lines", `{"message":"wrong\n\tstate "}`, "wrong state", true},
		{"JSON without a message", `{"error":"no"}`, `{"error":"no"}`, false},
		{"an empty message", `{"message":" "}`, `{"message":" "}`, false},
		{"a message that is not a string", `{"message":1}`, `{"message":1}`, false},
		{"a page", "<html>\r\n<body>\x00 502\u200b \x1b[31mBad</body>", "HTML page: 502 [31mBad", false},
		{
			"a page with a title", "\xef\xbb\xbf <!DOCTYPE html><HTML><head><style>p{}</style><TITLE lang=en>502\n Bad &amp; gone</TITLE></head><p>more",
			"HTML page: 502 Bad & gone", false,
		},
		{"a page with an empty title", "<html><title> </title><script>let a = '<p>'</script><!-- x --><h1>Blocked", "HTML page: Blocked", false},
		{"an empty page", "<html><body", "HTML page without text", false},
		{"nothing", "", "", false},
		{"not UTF-8", "\xff\xfebad", "bad", false},
		{"null", "null", "null", false},
		{"long", strings.Repeat("x", 1000), strings.Repeat("x", 240) + "...", false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			message, own := parseErrorBody([]byte(row.body))
			if message != row.message || own != row.own {
				t.Errorf("got %q, %t; want %q, %t", message, own, row.message, row.own)
			}
		})
	}
}

func FuzzErrorBody(f *testing.F) {
	for _, seed := range []string{`{"message":"no"}`, "<html>", "", "\xff", `{"message":{}}`, "a\nb", strings.Repeat("é", 300)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		message, own := parseErrorBody(body)
		if strings.ContainsAny(message, "\n\r\t\x00\x1b") || !utf8.ValidString(message) {
			t.Errorf("not one line: %q", message)
		}
		if len(message) > len("HTML page: ")+maxMessage+utf8.UTFMax+len(" ...") {
			t.Errorf("%d bytes", len(message))
		}
		if own && (message == "" || !json.Valid(body)) {
			t.Errorf("counts as the control plane's: %q", body)
		}
	})
}

// FuzzStatusError shows the same of a response that is not a success.
func FuzzStatusError(f *testing.F) {
	f.Add(503, "7", []byte(`{"message":"busy, session-secret"}`))
	f.Add(429, "Fri, 21 Aug 2026 12:00:30 GMT", []byte("<html>session-secret</html>"))
	f.Add(-1, "", []byte("session-\x00secret"))
	f.Fuzz(func(t *testing.T, status int, retryAfter string, body []byte) {
		response := &http.Response{StatusCode: status, Header: http.Header{headerRetryAfter: {retryAfter}}, Body: io.NopCloser(bytes.NewReader(body))}
		err := statusError(response, "session-secret")
		if said := err.Error(); strings.ContainsAny(said, "\n\r\x00\x1b") || strings.Contains(said, "session-secret") {
			t.Errorf("said %q", said)
		}
		if Refused(err) && Retryable(err) || err.RetryAfter < 0 || err.RetryAfter > time.Hour {
			t.Errorf("%+v", err)
		}
	})
}
