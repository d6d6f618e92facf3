package client

import (
	"context"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// AuditEvents returns the events of the audit log from a time on, the oldest first; a
// zero time is the beginning. The control plane has them in the order in which they were
// stored, in which a replica's submissions, which are stored together, come after what
// others did meanwhile.
func (c *Client) AuditEvents(ctx context.Context, since time.Time) (events []*switchyardv1.AuditEvent, err error) {
	req := &switchyardv1.ListAuditEventsRequest{PageSize: maxPageSize}
	if !since.IsZero() {
		req.Since = timestamppb.New(since)
	}
	for more := true; more; more = req.GetPageToken() != "" {
		page, err := call(ctx, c, "reading the audit log", c.audit.ListAuditEvents, req)
		if err != nil {
			return nil, err
		}
		events = append(events, page.GetEvents()...)
		req.PageToken = page.GetNextPageToken()
	}
	slices.SortStableFunc(events, func(a, b *switchyardv1.AuditEvent) int { return a.GetAt().AsTime().Compare(b.GetAt().AsTime()) })
	return events, nil
}
