package web

import (
	"net/http"
	"net/url"
	"strings"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// shownEvents is how many events a page shows: with a text up to twice as many.
	shownEvents = 200
	// maxEvents bounds the events that are searched for one page.
	maxEvents = 5000
)

// auditData is what the audit log shows.
type auditData struct {
	Sinces      []option
	Since, Text string
	Events      []*switchyardv1.AuditEvent
	Searched    int
	First, Next string
}

// address returns the address of a page of the events.
func (d auditData) address(page string) string {
	q := url.Values{}
	for name, value := range map[string]string{"since": d.Since, "text": d.Text, "page": page} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return "/audit"
	}
	return "/audit?" + q.Encode()
}

// auditLog shows who did what, the newest first.
func (s *site) auditLog(w http.ResponseWriter, r *http.Request) error {
	v, q := s.view(r, "Audit"), r.URL.Query()
	data := auditData{Sinces: sinces(), Since: q.Get("since"), Text: strings.TrimSpace(q.Get("text"))}
	since, err := sinceOf(data.Since, s.now())
	if err != nil {
		return err
	}
	req := &switchyardv1.ListAuditEventsRequest{
		Since: since, PageSize: shownEvents, PageToken: q.Get("page"), Order: switchyardv1.ListOrder_LIST_ORDER_NEWEST_FIRST,
	}
	if req.GetPageToken() != "" {
		data.First = data.address("")
	}
	for {
		page, err := s.Calls.ListAuditEvents(r.Context(), req)
		if err != nil {
			return err //nolint:wrapcheck // an error of the API has its words
		}
		data.Searched += len(page.GetEvents())
		for _, event := range page.GetEvents() {
			if mentions(event, strings.ToLower(data.Text)) {
				data.Events = append(data.Events, event)
			}
		}
		req.PageToken = page.GetNextPageToken()
		if req.GetPageToken() == "" {
			break
		}
		if len(data.Events) >= shownEvents || data.Searched >= maxEvents {
			data.Next = data.address(req.GetPageToken())
			break
		}
	}
	v.Live, v.Data = livePath, data
	s.show(w, "audit", v)
	return nil
}

func mentions(e *switchyardv1.AuditEvent, text string) bool {
	for _, part := range []string{
		e.GetAction(), e.GetActor(), e.GetAddress(), e.GetTargetKind(), e.GetTargetId(), e.GetTargetName(), e.GetDetail(),
	} {
		if strings.Contains(strings.ToLower(part), text) {
			return true
		}
	}
	return false
}
