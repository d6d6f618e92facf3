package api

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane/admission"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// TestWeightOfARequest checks what a request counts at the gate by its header: what
// is not known counts as the largest request of the call.
func TestWeightOfARequest(t *testing.T) {
	t.Parallel()
	submit := admission.Weight(maxSubmitBytes, maxSubmitBytes, false)
	for _, row := range []struct {
		name, procedure string
		length          int64
		header          string
		want            int64
	}{
		{"known length", switchyardv1connect.JobServiceSubmitJobProcedure, 100, "", admission.Weight(100, maxSubmitBytes, false)},
		{"unknown length", switchyardv1connect.JobServiceSubmitJobProcedure, -1, "", submit},
		{"compressed", switchyardv1connect.JobServiceSubmitJobProcedure, 100, "Content-Encoding", submit},
		{"compressed, gRPC", switchyardv1connect.JobServiceSubmitJobProcedure, 100, "Grpc-Encoding", submit},
		{"compressed, Connect stream", switchyardv1connect.JobServiceSubmitJobProcedure, 100, "Connect-Content-Encoding", submit},
		{"small call", switchyardv1connect.JobServiceGetJobProcedure, -1, "", admission.Weight(-1, maxRequestBytes, false)},
		{"unknown call", "/switchyard.v1.JobService/Other", -1, "", admission.Weight(0, 0, false)},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, row.procedure, strings.NewReader(""))
		r.ContentLength = row.length
		if row.header != "" {
			r.Header.Set(row.header, "gzip")
		}
		if got := weight(r); got != row.want {
			t.Errorf("%s: weight %d, want %d", row.name, got, row.want)
		}
	}
}

// TestBusyResponse checks the response to a request for which there is no room.
func TestBusyResponse(t *testing.T) {
	t.Parallel()
	err := busy(admission.ErrBusy)
	coded, ok := errors.AsType[*connect.Error](err)
	if !ok || coded.Code() != connect.CodeUnavailable || coded.Meta().Get("Retry-After") == "" {
		t.Errorf("got %v, want unavailable with Retry-After", err)
	}
}
