package client

import (
	"context"
	"iter"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// AuditEvents returns the events of the audit log from a time on, the oldest first; a
// zero time is the beginning. It fetches pages as needed. An error is the last
// element.
func (c *Client) AuditEvents(ctx context.Context, since time.Time) iter.Seq2[*switchyardv1.AuditEvent, error] {
	return func(yield func(*switchyardv1.AuditEvent, error) bool) {
		req := &switchyardv1.ListAuditEventsRequest{PageSize: maxPageSize}
		if !since.IsZero() {
			req.Since = timestamppb.New(since)
		}
		for {
			page, err := call(ctx, c, "reading the audit log", c.audit.ListAuditEvents, req)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, event := range page.GetEvents() {
				if !yield(event, nil) {
					return
				}
			}
			if req.PageToken = page.GetNextPageToken(); req.GetPageToken() == "" {
				return
			}
		}
	}
}
