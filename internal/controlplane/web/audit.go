package web

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// auditPages bounds the pages of events that are read for one page, and shownEvents the
	// events that it shows.
	auditPages, shownEvents = 5, 500
	// auditPage is the size of a page of the API.
	auditPage = 1000
)

// auditData is what the audit log shows.
type auditData struct {
	Sinces      []option
	Since, Text string
	Events      []*switchyardv1.AuditEvent
	Note        string
}

// auditLog shows who did what, the newest first. The API has the oldest first, so it is
// read from a moment on.
func (s *site) auditLog(w http.ResponseWriter, r *http.Request) error {
	v, q := s.view(r, "Audit"), r.URL.Query()
	data := auditData{
		Sinces: []option{{"1h", "1 hour"}, {"24h", "1 day"}, {"168h", "7 days"}, {allTime, "any time"}},
		Since:  cmp.Or(q.Get("since"), "24h"), Text: strings.TrimSpace(q.Get("text")),
	}
	since, err := sinceOf(data.Since, s.now())
	if err != nil {
		return err
	}
	req, read := &switchyardv1.ListAuditEventsRequest{Since: since, PageSize: auditPage}, 0
	for range auditPages {
		page, err := s.Calls.ListAuditEvents(r.Context(), req)
		if err != nil {
			return err //nolint:wrapcheck // an error of the API has its words
		}
		read += len(page.GetEvents())
		for _, event := range page.GetEvents() {
			if mentions(event, strings.ToLower(data.Text)) {
				data.Events = append(data.Events, event)
			}
		}
		req.PageToken = page.GetNextPageToken()
		if req.GetPageToken() == "" {
			break
		}
	}
	if req.GetPageToken() != "" {
		data.Note = fmt.Sprintf("Only the first %s events since then were read; choose a shorter time, or use switchyard audit.", number(read))
	}
	slices.Reverse(data.Events)
	if len(data.Events) > shownEvents {
		data.Note = fmt.Sprintf("%s older events are not shown. %s", number(len(data.Events)-shownEvents), data.Note)
		data.Events = data.Events[:shownEvents]
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
