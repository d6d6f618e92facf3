package api

import (
	"errors"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// FuzzSubmission decodes a submission from JSON and from protobuf. An accepted one
// has a timeout within its bounds and a command that is not an option; a refused one
// has a message of one line and the code InvalidArgument.
func FuzzSubmission(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"command":["true"],"queue":"q","timeout":"3s"}`, `{"command":["-c"],"timeout":"-1s"}`, `{"timeout":"315576000000s"}`, `{"retries":-1,"env":{"":""}}`,
		"\x0a\x04true\x2a\x02\x08\x03", "\x0a\x01-",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, read := range []func([]byte, proto.Message) error{protojson.Unmarshal, proto.Unmarshal} {
			var req switchyardv1.SubmitJobRequest
			if read(body, &req) != nil {
				continue
			}
			got, err := submissionOf(&req)
			if err != nil {
				if failed, ok := errors.AsType[*connect.Error](err); !ok || failed.Code() != connect.CodeInvalidArgument || strings.Contains(err.Error(), "\n") {
					t.Errorf("refused with %v", err)
				}
				continue
			}
			if got.Timeout < 0 || got.Timeout > 366*24*time.Hour || len(got.Command) > 0 && strings.HasPrefix(got.Command[0], "-") {
				t.Errorf("accepted %+v", got)
			}
		}
	})
}
