package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var noon = time.Date(2026, 8, 21, 12, 0, 0, 0, time.UTC)

func TestRetryAfter(t *testing.T) {
	rows := []struct {
		value string
		want  time.Duration
	}{
		{"", 0},
		{"0", 0},
		{"7", 7 * time.Second},
		{" 7 ", 7 * time.Second},
		{"0.25", 250 * time.Millisecond},
		{"1e2", 100 * time.Second},
		{"-3", 0},
		{"3600", time.Hour},
		{"999999999999999999999", time.Hour},
		{"+Inf", time.Hour},
		{"NaN", 0},
		{"soon", 0},
		{"7 seconds", 0},
		{"Fri, 21 Aug 2026 12:00:30 GMT", 30 * time.Second},
		{"Fri, 21 Aug 2026 11:59:00 GMT", 0},
		{"Fri, 21 Aug 2027 12:00:00 GMT", time.Hour},
		{"Friday, 21-Aug-26 12:00:30 GMT", 30 * time.Second},
		{"Fri Aug 21 12:00:30 2026", 30 * time.Second},
	}
	for _, row := range rows {
		if got := parseRetryAfter(row.value, noon); got != row.want {
			t.Errorf("%q: got %s, want %s", row.value, got, row.want)
		}
	}
}

// TestRetryAfterOf shows that a date is held against the clock of whoever said
// it: this machine's may be years off.
func TestRetryAfterOf(t *testing.T) {
	rows := []struct {
		name, date, value string
		want              time.Duration
	}{
		{"seconds", "", "7", 7 * time.Second},
		{"seconds, whatever the clock", "Fri, 21 Aug 1976 12:00:00 GMT", "7", 7 * time.Second},
		{"a date, by their clock", "Sat, 21 Aug 1976 12:00:00 GMT", "Sat, 21 Aug 1976 12:00:30 GMT", 30 * time.Second},
		{"a date in the past, by their clock", "Sat, 21 Aug 1976 12:00:00 GMT", "Sat, 21 Aug 1976 11:59:30 GMT", 0},
		{"a date in the past, by ours", "", "Sat, 21 Aug 1976 12:00:30 GMT", 0},
		{"a date in the future, with a Date that is none", "now", "Sun, 21 Aug 2976 12:00:30 GMT", time.Hour},
	}
	for _, row := range rows {
		header := http.Header{}
		header.Set("Date", row.date)
		header.Set("Retry-After", row.value)
		if got := retryAfterOf(header); got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "7", "0.5", "-1", "1e308", "NaN", "Fri, 21 Aug 2026 12:00:30 GMT", "0x1p-2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if got := parseRetryAfter(value, noon); got < 0 || got > maxRetryAfter {
			t.Errorf("%q: %s", value, got)
		}
	})
}

func TestErrorBody(t *testing.T) {
	rows := []struct {
		name, body, message string
		own                 bool
	}{
		{"the control plane's word", `{"message":"wrong state"}`, "wrong state", true},
		{"with more in it", ` {"message":"wrong state","errors":[1]} `, "wrong state", true},
		{"on several lines", `{"message":"wrong\n\tstate "}`, "wrong state", true},
		{"JSON without a message", `{"error":"no"}`, `{"error":"no"}`, false},
		{"an empty message", `{"message":" "}`, `{"message":" "}`, false},
		{"a message that is no string", `{"message":1}`, `{"message":1}`, false},
		{"a page", "<html>\r\n<body>\x00 502\u200b \x1b[31mBad</body>", "HTML page: 502 [31mBad", false},
		{
			"a page with a title", "\xef\xbb\xbf <!DOCTYPE html><HTML><head><style>p{}</style><TITLE lang=en>502\n Bad &amp; gone</TITLE></head><p>more",
			"HTML page: 502 Bad & gone", false,
		},
		{"a page with an empty title", "<html><title> </title><script>let a = '<p>'</script><!-- x --><h1>Blocked", "HTML page: Blocked", false},
		{"a page of nothing", "<html><body", "HTML page without words", false},
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
		if len(message) > maxMessage+utf8.UTFMax+len(" ...") {
			t.Errorf("%d bytes", len(message))
		}
		if own && (message == "" || !json.Valid(body)) {
			t.Errorf("taken for the control plane's: %q", body)
		}
	})
}

// FuzzAnswers feeds what a control plane says to everything that reads it:
// nothing panics, and what is taken is complete and within its bounds.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"id":"a","access_token":"s","ping_interval":0,"heartbeat_interval":-1,"endpoint":"http://x/"}`,
		`{"action":"pause","message":"m","job":{"id":""}}`, `{"job":null,"request_headers":{"Buildkite-A":"\u0000"}}`,
		`{"id":"j","env":{"A":null},"chunks_max_size_bytes":18446744073709551615,"log_max_size_bytes":-1}`,
		`[]`, `null`, ``, `<html>`, `{"id":1e999}`,
	} {
		f.Add([]byte(seed))
	}
	transport, err := New(Options{Endpoint: "https://control.test/v3"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(transport.Close)
	f.Fuzz(func(t *testing.T, body []byte) {
		var register registerAnswer
		if err := decode(body, &register); err == nil {
			session, response := transport.newSession(register)
			for _, interval := range []time.Duration{response.PingInterval, response.HeartbeatInterval, response.JobStatusInterval} {
				if interval < time.Second || interval > maxInterval {
					t.Errorf("interval %s", interval)
				}
			}
			if next, err := session.nextEndpoint(register.Endpoint); err == nil && next != nil && !next.secure() {
				t.Errorf("would move to %s", next)
			}
			for name := range session.RequestHeaders() {
				if !strings.HasPrefix(name, requestHeaderPrefix) {
					t.Errorf("header %q", name)
				}
			}
		} else if !errors.Is(err, ErrUndecodable) {
			t.Errorf("refused without a reason: %v", err)
		}
		var ping wirePing
		if err := decode(body, &ping); err == nil && ping.check() == nil {
			instruction := ping.response().Instruction
			if (instruction.Kind == JobAssigned) != (instruction.JobID != "") {
				t.Errorf("%+v", instruction)
			}
		}
		var job wireJob
		if err := decode(body, &job); err == nil {
			if got := job.accepted(); got.ChunkInterval < time.Second || got.LogMaxSize == 0 {
				t.Errorf("%d, %s", got.LogMaxSize, got.ChunkInterval)
			}
		}
	})
}

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
		{"too long", `{"id":"` + strings.Repeat("x", maxAnswer) + `"}`, "longer than 16777216 bytes"},
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

func TestEndpoint(t *testing.T) {
	rows := []struct {
		raw, want, root, err string
	}{
		{raw: "http://127.0.0.1:7420/v3", want: "http://127.0.0.1:7420/v3", root: "http://127.0.0.1:7420"},
		{raw: " https://control.test/a%2Fb/v3// ", want: "https://control.test/a%2Fb/v3", root: "https://control.test"},
		{raw: "https://[::1]:7420", want: "https://[::1]:7420", root: "https://[::1]:7420"},
		{raw: "ftp://control.test", err: `must begin with http://, https:// or unix://, got scheme "ftp"`},
		{raw: "control.test:80/v3", err: `must begin with http://, https:// or unix://, got scheme "control.test"`},
		{raw: "unix:///run/a.sock", want: "unix:///run/a.sock", root: "http://2f72756e2f612e736f636b.socket.invalid"},
		{raw: "unix:///run/a.sock:/behind/v3/", want: "unix:///run/a.sock:/behind/v3", root: "http://2f72756e2f612e736f636b.socket.invalid"},
		{raw: "unix://run/a.sock", err: "must name a socket, as in unix:///path/to.sock"},
		{raw: "unix:///run/", err: "must name a socket, as in unix:///path/to.sock"},
		{raw: "unix:///run/a.sock:v3", err: `must name a path after the socket and ":", as in unix:///path/to.sock:/v3`},
		{raw: "unix:///run/a.sock:/v3?a=b", err: "must not contain a query or fragment"},
		{raw: "http://2f72756e.socket.invalid/v3", err: "must name a socket as in unix:///path/to.sock"},
		{raw: "http://2f72756e.Socket.invalid.:80/v3", err: "must name a socket as in unix:///path/to.sock"},
		{raw: "http:///v3", err: "has no host"},
		{raw: "http://me:secret@control.test", err: "must not contain a user name or password"},
		{raw: "http://control.test/v3?a=b", err: "must not contain a query or fragment"},
		{raw: "http://control.test/v3#a", err: "must not contain a query or fragment"},
		{raw: "http://me:secret@control.test:port", err: "not a URL"},
	}
	for _, row := range rows {
		t.Run(row.raw, func(t *testing.T) {
			got, err := parseEndpoint(row.raw)
			if row.err != "" {
				if err == nil || err.Error() != row.err {
					t.Errorf("got %v, want %s", err, row.err)
				}
				return
			}
			if err != nil || got.String() != row.want || got.root() != row.root {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

// FuzzEndpointURL shows that no id escapes from its segment of the path.
func FuzzEndpointURL(f *testing.F) {
	for _, seed := range []string{"j1", "..", "a/b", "?x=y", "#", "%2e%2e", "\x00", "é", ""} {
		f.Add(seed)
	}
	base, err := parseEndpoint("http://control.test/v3")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, id string) {
		address, err := base.url("jobs", id, "accept")
		if err != nil {
			return
		}
		segments := strings.Split(address.EscapedPath(), "/")
		if len(segments) != 5 || address.RawQuery != "" || address.Fragment != "" || address.Host != "control.test" {
			t.Fatalf("%q: %s", id, address)
		}
		if back, err := url.PathUnescape(segments[3]); err != nil || back != id {
			t.Errorf("%q came back as %q, %v", id, back, err)
		}
	})
}

func TestOptions(t *testing.T) {
	rows := []struct {
		name    string
		options Options
		err     string
	}{
		{"nothing", Options{}, "transport options: Endpoint is required"},
		{"no URL", Options{Endpoint: "::"}, "transport options: Endpoint: not a URL"},
		{"a header of another family", Options{Endpoint: "http://a", Headers: http.Header{"X-A": {"1"}}}, `transport options: Headers: "X-A" must be`},
		{"a header that breaks out", Options{Endpoint: "http://a", Headers: http.Header{"Buildkite-A": {"1\r\nX: 2"}}}, `transport options: Headers: "Buildkite-A" must be`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if _, err := New(row.options); err == nil || !strings.HasPrefix(err.Error(), row.err) {
				t.Errorf("got %v, want %s", err, row.err)
			}
		})
	}
}

func TestSameOrigin(t *testing.T) {
	rows := []struct {
		from, to string
		want     bool
	}{
		{"http://a.test/x", "http://a.test/y", true},
		{"http://a.test/x", "http://A.test:80/y", true},
		{"https://a.test/x", "https://a.test:443/y", true},
		{"http://a.test/x", "https://a.test/x", true},
		{"https://a.test/x", "http://a.test/x", false},
		{"http://a.test:8080/x", "https://a.test/x", false},
		{"http://a.test:8080/x", "http://a.test:8081/x", false},
		{"http://a.test/x", "http://b.a.test/x", false},
		{"http://a.test/x", "http://b.test/x", false},
	}
	for _, row := range rows {
		from, errFrom := url.Parse(row.from)
		to, errTo := url.Parse(row.to)
		if errFrom != nil || errTo != nil {
			t.Fatal(errFrom, errTo)
		}
		if got := sameOrigin(from, to); got != row.want {
			t.Errorf("%s to %s: %t", row.from, row.to, got)
		}
	}
}

func TestCompress(t *testing.T) {
	// One compressor serves many chunks; what one leaves behind must not show
	// in the next.
	long, err := compress(bytes.Repeat([]byte("x"), 1<<20))
	if err != nil || len(long) > 1<<14 {
		t.Errorf("%d bytes, %v", len(long), err)
	}
	first, err := compress([]byte("a"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := compress([]byte("a"))
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("%x and %x, %v", first, second, err)
	}
}
