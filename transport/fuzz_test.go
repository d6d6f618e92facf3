package transport

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
)

// FuzzEndpoint shows that an address from outside, once taken, leads where it
// says, says it the same way again, and holds no password.
func FuzzEndpoint(f *testing.F) {
	for _, seed := range []string{
		"http://127.0.0.1:7420/v3", " https://[::1]:7420/a%2Fb//", "http://me:secret@h", "http://h?", "http://h#", "//h", "http:h", "https://h:0x1/", "HTTP://H",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := parseEndpoint(raw)
		if err != nil {
			return
		}
		if got.base.User != nil || strings.ContainsAny(got.String(), "?#") {
			t.Errorf("%q was taken as %s", raw, got)
		}
		if !strings.HasPrefix(got.String(), got.root()) || got.secure() != strings.HasPrefix(got.root(), "https://") {
			t.Errorf("%q: root %q of %q", raw, got.root(), got)
		}
		again, err := parseEndpoint(got.String())
		if err != nil || again.String() != got.String() {
			t.Errorf("%q became %q, and that %v, %v", raw, got, again, err)
		}
		if _, err := got.url("ping"); err != nil {
			t.Errorf("%q: no route below it: %v", raw, err)
		}
	})
}

// FuzzRequestHeaders shows that a header which a control plane asks for arrives
// as it was asked for, and brings no other along.
func FuzzRequestHeaders(f *testing.F) {
	for _, seed := range [][2]string{
		{"Buildkite-A", "1"}, {"Buildkite-", ""}, {"buildkite-a", "1"}, {"Buildkite-A", "1\r\nX-Evil: 2"}, {"Buildkite-A: x", "1"}, {"Buildkite-É", "é"}, {"Buildkite-A", "\x7f"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		asked := requestHeaders(map[string]string{name: value})
		if len(asked) == 0 {
			return
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://control.test/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header = asked
		request.Header.Set(headerUserAgent, "x")
		var wire bytes.Buffer
		if err := request.Write(&wire); err != nil {
			t.Fatalf("%q: %q cannot be sent: %v", name, value, err)
		}
		read, err := http.ReadRequest(bufio.NewReader(&wire))
		if err != nil {
			t.Fatalf("%q: %q cannot be read: %v", name, value, err)
		}
		if got := read.Header.Get(name); got != strings.Trim(value, " \t") || len(read.Header) != 2 {
			t.Errorf("%q: %q arrived as %q", name, value, read.Header)
		}
	})
}

// FuzzRedirect shows that a redirect takes a token to no other host, and to none
// where it would be readable on the way.
func FuzzRedirect(f *testing.F) {
	for _, seed := range [][2]string{
		{"https://a.test/x", "/y"},
		{"https://a.test", "http://a.test"},
		{"http://a.test", "https://A.test:443"},
		{"http://a.test:80", "http://a.test.:80"},
		{"http://[::1]", "http://[0:0::1]"},
		{"https://a.test", "//b.test"},
		{"https://a.test", "https://a.test@b.test"},
		{"http://a.test", "http://a.test:"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, first, location string) {
		base, err := parseEndpoint(first)
		if err != nil {
			return
		}
		to, err := base.base.Parse(location)
		if err != nil || to.Host == "" {
			return
		}
		via := &http.Request{Method: http.MethodGet, URL: base.base, Header: http.Header{headerAuthorization: {"Token secret"}}}
		next := &http.Request{Method: http.MethodGet, URL: to, Header: via.Header.Clone()}
		if err := checkRedirect(next, []*http.Request{via}); err != nil {
			t.Fatal(err)
		}
		if next.Header.Get(headerAuthorization) == "" {
			return
		}
		if !strings.EqualFold(to.Hostname(), base.base.Hostname()) || base.secure() && to.Scheme != schemeHTTPS {
			t.Errorf("the token for %s goes to %s", base, to)
		}
	})
}

// FuzzInstruction shows that every message of a stream, of whatever version, means
// one instruction, or breaks the stream.
func FuzzInstruction(f *testing.F) {
	for _, message := range []*agentedgev1.StreamPingsResponse{
		{},
		{Action: &agentedgev1.StreamPingsResponse_Pause{Pause: &agentedgev1.PauseAction{Reason: "why"}}},
		{Action: &agentedgev1.StreamPingsResponse_JobAssigned{JobAssigned: &agentedgev1.JobAssignedAction{}}},
		{Action: &agentedgev1.StreamPingsResponse_JobAssigned{JobAssigned: &agentedgev1.JobAssignedAction{Job: &agentedgev1.Job{Id: "j"}}}},
	} {
		content, err := proto.Marshal(message)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		var message agentedgev1.StreamPingsResponse
		if proto.Unmarshal(content, &message) != nil {
			return
		}
		got, err := streamInstruction(&message)
		if (err == nil) != (got.Kind >= Resume && got.Kind <= JobAssigned) || (got.Kind == JobAssigned) != (got.JobID != "") {
			t.Errorf("%x: %+v, %v", content, got, err)
		}
	})
}

// answering is a network on which everything has one answer.
type answering func() *http.Response

func (a answering) RoundTrip(request *http.Request) (*http.Response, error) {
	response := a()
	response.Request = request
	return response, nil
}

// FuzzStream gives a stream any answer at all: status, headers, bytes and
// trailers. It comes to one end that says why in one line, without the token, and
// a planned end only after a message.
func FuzzStream(f *testing.F) {
	framed := func(flags byte, message string) []byte {
		return append([]byte{flags, 0, 0, 0, byte(len(message))}, message...)
	}
	job := framed(0, "\x2a\x05\x0a\x03\x0a\x01j") // what a job named j looks like
	for _, connectProtocol := range []bool{false, true} {
		f.Add(connectProtocol, 200, "application/grpc", "30", "", "0", "", job)
		f.Add(connectProtocol, 200, "application/grpc+proto", "", "", "4", "as planned", append(framed(0, ""), job...))
		f.Add(connectProtocol, 200, "application/grpc", "x", "7", "16", "who%20is session-secret\x01", []byte(nil))
		f.Add(connectProtocol, 503, "text/html", "", "7", "", "", []byte("<html>"))
		f.Add(connectProtocol, 200, "application/connect+proto", "0", "Fri, 21 Aug 2026 12:00:30 GMT", "", "",
			append(job, framed(2, `{"error":{"code":"deadline_exceeded"}}`)...))
		f.Add(connectProtocol, 401, "application/json", "", "", "", "", []byte(`{"code":"unauthenticated","message":"session-secret"}`))
		f.Add(connectProtocol, 200, "application/grpc", "", "", "0", "", []byte("\x01\x00\x00\x00\xff"))
		f.Add(connectProtocol, 200, "application/grpc", "", "", "0", "", []byte("\x00\xff\xff\xff\xff"))
	}
	f.Fuzz(func(t *testing.T, connectProtocol bool, status int, contentType, keepAlive, retryAfter, code, message string, body []byte) {
		transport, err := New(Options{Endpoint: "https://control.test/v3"})
		if err != nil {
			t.Fatal(err)
		}
		defer transport.Close()
		transport.client.Transport = answering(func() *http.Response {
			response := &http.Response{
				Status: strconv.Itoa(status), StatusCode: status, Proto: "HTTP/2.0", ProtoMajor: 2,
				Header: http.Header{}, Trailer: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: -1,
			}
			for name, value := range map[string]string{headerContentType: contentType, KeepAliveHeader: keepAlive, headerRetryAfter: retryAfter} {
				if value != "" {
					response.Header.Set(name, value)
				}
			}
			if code != "" {
				response.Trailer.Set("Grpc-Status", code)
				response.Trailer.Set("Grpc-Message", message)
			}
			return response
		})
		const token = "session-secret"
		session, _ := transport.newSession(registerAnswer{ID: "w", AccessToken: token})
		messages := 0
		try := &attempt{session: session, epoch: 1, protocol: StreamGRPC, post: func(event StreamEvent) {
			if event.First != (messages == 0) || event.Kind != StreamMessage || event.Instruction.Kind == 0 {
				t.Errorf("message %d: %+v", messages, event)
			}
			messages++
		}}
		if connectProtocol {
			try.protocol = StreamConnect
		}
		end := try.run(t.Context())
		transport.trailers.learn(try.protocol, try.spoken, try.answer)
		switch {
		case end.kind == StreamEnded && messages == 0:
			t.Error("a planned end without a message")
		case end.kind == StreamLost && end.err == nil:
			t.Error("lost without a reason")
		case end.kind != StreamLost && end.kind != StreamEnded:
			t.Errorf("ended as %v", end.kind)
		}
		if end.err != nil && (strings.ContainsAny(end.err.Error(), "\n\r\x00\x1b") || strings.Contains(end.err.Error(), token)) {
			t.Errorf("said %q", end.err)
		}
		if end.retryAfter < 0 || end.retryAfter > maxRetryAfter || try.silence < 0 || try.silence > 3*maxRetryAfter {
			t.Errorf("waits %v, bears a silence of %v", end.retryAfter, try.silence)
		}
	})
}

// FuzzSettings shows that only what HTTP/2 begins with passes for it.
func FuzzSettings(f *testing.F) {
	f.Add([]byte(emptySettings))
	f.Add([]byte("HTTP/1.1 400 Bad Request"))
	f.Add([]byte("\x00\x00\x00\x04\x01\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		var header [frameHeaderSize]byte
		copy(header[:], content)
		if isSettings(header) && (header[3] != frameSettings || header[0] != 0 || !bytes.Equal(header[5:], make([]byte, 4))) {
			t.Errorf("%x passes", header)
		}
	})
}

// FuzzDecodeError shows that what is told of an answer never repeats the secret in
// it, whichever field it stands in.
func FuzzDecodeError(f *testing.F) {
	for _, seed := range []string{`{"token":["SECRET"]}`, `{"access_token":7}`, `{"env":"SECRET"}`, `{"id":"SECRET`, `["SECRET"]`, `{"runnable_at":{"SECRET":1}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, into := range []any{&registerAnswer{}, &wirePing{}, &wireJob{}} {
			err := decode(body, into)
			if err == nil || bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("<")) {
				continue // a page is quoted; it is not the control plane's
			}
			if strings.ContainsAny(err.Error(), "\n\r\x00\x1b") || strings.Contains(err.Error(), "SECRET") {
				t.Errorf("said %q of %q", err, body)
			}
		}
	})
}

// FuzzStatusError shows the same of an answer that is no success.
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
