package transport

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
)

// FuzzInstruction shows that every message of a stream, of any version, is one
// instruction or breaks the stream.
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
		if (err == nil) != (got.Kind >= wire.Resume && got.Kind <= wire.JobAssigned) || (got.Kind == wire.JobAssigned) != (got.JobID != "") {
			t.Errorf("%x: %+v, %v", content, got, err)
		}
	})
}

// FuzzStream reads a stream from any response: status, headers, bytes and trailers. The
// attempt has one end, with the reason in one line without the token, and a planned end
// only after a message.
func FuzzStream(f *testing.F) {
	framed := func(flags byte, message string) []byte {
		return append([]byte{flags, 0, 0, 0, byte(len(message))}, message...)
	}
	job := framed(0, "\x2a\x05\x0a\x03\x0a\x01j") // assigns the job j
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
		transport, err := New(Options{Endpoints: []string{"https://control.test/v3"}})
		if err != nil {
			t.Fatal(err)
		}
		defer transport.Close()
		transport.groups[0].do = func(request *http.Request) (*http.Response, error) {
			response := &http.Response{
				Request: request,
				Status:  strconv.Itoa(status), StatusCode: status, Proto: "HTTP/2.0", ProtoMajor: 2,
				Header: http.Header{}, Trailer: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: -1,
			}
			for name, value := range map[string]string{headerContentType: contentType, wire.HeaderKeepAlive: keepAlive, headerRetryAfter: retryAfter} {
				if value != "" {
					response.Header.Set(name, value)
				}
			}
			if code != "" {
				response.Trailer.Set("Grpc-Status", code)
				response.Trailer.Set("Grpc-Message", message)
			}
			return response, nil
		}
		const token = "session-secret"
		session := transport.newSession(transport.groups[0], wire.RegisterResponse{ID: "w", AccessToken: token})
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
		transport.trailers.observe(try)
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
			t.Errorf("waits %v, allows a silence of %v", end.retryAfter, try.silence)
		}
	})
}
