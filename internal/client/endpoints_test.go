package client

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// TestSeveralEndpoints calls a control plane with two endpoints, of which the first fails.
func TestSeveralEndpoints(t *testing.T) {
	t.Parallel()
	const notDone = 599 // a 503 whose call has changed nothing
	mux := http.NewServeMux()
	mux.Handle(switchyardv1connect.NewJobServiceHandler(&service{}))
	works := httptest.NewServer(mux)
	t.Cleanup(works.Close)
	closed := httptest.NewServer(mux)
	closed.Close()
	status := func(code int, body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			if code == notDone {
				code = http.StatusServiceUnavailable
				w.Header().Set(wire.HeaderNotDone, "1")
			}
			w.WriteHeader(code)
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	get := func(c *Client) error { _, err := c.Job(t.Context(), "J"); return err }
	submit := func(c *Client) error { _, err := c.Submit(t.Context(), &switchyardv1.SubmitJobRequest{}); return err }
	follow := func(c *Client) error {
		_, err := c.Follow(t.Context(), "J", FollowOptions{NoWait: true}, &recorder{})
		return err
	}
	const notServed = "switchyard.v1.JobService"
	rows := []struct {
		name      string
		endpoints []string
		call      func(*Client) error
		want      string // in the error; empty for none
		after     string // the endpoint in use then
	}{
		{"refused", []string{closed.URL, works.URL}, get, "", works.URL},
		{"refused, to change something", []string{closed.URL, works.URL}, submit, notServed, works.URL},
		{"refused, to follow", []string{closed.URL, works.URL}, follow, notServed, works.URL},
		{"a proxy without a control plane", []string{status(502, ""), works.URL}, get, "", works.URL},
		{"starting", []string{status(503, `{"code":"unavailable","message":"starts"}`), works.URL}, get, "", works.URL},
		// It is not known whether it was changed.
		{"starting, to change something", []string{status(503, `{"code":"unavailable","message":"starts"}`), works.URL}, submit, "starts", works.URL},
		{"not done, to change something", []string{status(notDone, `{"code":"unavailable","message":"an outage"}`), works.URL}, submit, notServed, works.URL},
		{"not done by the only one", []string{status(notDone, `{"code":"unavailable","message":"an outage"}`)}, submit, "an outage", ""},
		{"not found is an answer", []string{status(404, `{"code":"not_found","message":"no job J"}`), works.URL}, get, "no job J", ""},
		{"all refuse", []string{closed.URL, "http://127.0.0.1:1"}, get, "showing job J at " + closed.URL + ", http://127.0.0.1:1: nothing listens there", ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c, err := New(Options{Endpoints: row.endpoints, Token: "the-token"})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			err = row.call(c)
			if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, want %s", err, row.want)
			}
			if row.after != "" && c.Endpoint() != row.after {
				t.Errorf("in use is %s, want %s", c.Endpoint(), row.after)
			}
		})
	}
}
