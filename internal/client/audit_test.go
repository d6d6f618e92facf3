package client

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// auditLog is a log in pages of two events, by the seconds at which they were.
type auditLog struct {
	switchyardv1connect.UnimplementedAuditServiceHandler

	seconds []int64
}

func (l *auditLog) ListAuditEvents(_ context.Context, req *switchyardv1.ListAuditEventsRequest) (*switchyardv1.ListAuditEventsResponse, error) {
	from := len(req.GetPageToken())
	res := &switchyardv1.ListAuditEventsResponse{}
	for _, second := range l.seconds[from:min(from+2, len(l.seconds))] {
		res.Events = append(res.Events, &switchyardv1.AuditEvent{At: timestamppb.New(time.Unix(second, 0))})
	}
	if from+2 < len(l.seconds) {
		res.NextPageToken = strings.Repeat("x", from+2)
	}
	return res, nil
}

// Events that replicas stored out of order are in order of time, also across pages.
func TestAuditEventsAreInOrderOfTime(t *testing.T) {
	t.Parallel()
	for _, stored := range [][]int64{nil, {1, 2, 3}, {3, 1, 4, 2, 5}, {2, 2, 1}} {
		mux := http.NewServeMux()
		mux.Handle(switchyardv1connect.NewAuditServiceHandler(&auditLog{seconds: stored}))
		events, err := serve(t, mux).AuditEvents(t.Context(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, event := range events {
			got = append(got, event.GetAt().GetSeconds())
		}
		want := slices.Sorted(slices.Values(stored))
		if !slices.Equal(got, want) {
			t.Errorf("of %v: got %v, want %v", stored, got, want)
		}
	}
}
