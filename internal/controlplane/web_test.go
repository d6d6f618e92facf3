package controlplane_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
)

// The audit log is shown to its end, the newest first, also if few events have the text.
func TestWebAuditPages(t *testing.T) {
	t.Parallel()
	b := start(t)
	r := b.signedIn(b.AdminToken())
	r.post("/queue/pause", url.Values{"name": {"oldest"}, "reason": {"first of all"}})
	const more = 205
	for i := range more {
		r.post("/queue/pause", url.Values{"name": {fmt.Sprintf("q%03d", i)}, "reason": {"r"}})
	}
	newest, oldest := fmt.Sprintf("name=q%03d", more-1), "first of all"
	page := r.get("/audit")
	r.expect(page, http.StatusOK, newest, "Older", "-Newest", "-"+oldest)
	if rows := strings.Count(page.body, "PauseQueue"); rows != 200 {
		t.Errorf("%d events on the first page", rows)
	}
	next := regexp.MustCompile(`/audit\?page=[^"]+`).FindString(page.body)
	page = r.get(next)
	r.expect(page, http.StatusOK, oldest, "Newest", "-Older", "-"+newest)
	if rows := strings.Count(page.body, "PauseQueue"); rows != more+1-200 {
		t.Errorf("%d events on the last page", rows)
	}
	r.expect(r.get("/audit?text=first+of+all"), http.StatusOK, oldest, "206 events searched", "-Older")
	r.expect(r.get("/audit?since=1h&text=nothing+has+it"), http.StatusOK, "No event mentions it.")
	r.expect(r.get("/audit?page=x"), http.StatusBadRequest)
}

// An address without a page has a page that says so, in a browser; with a session it has the
// navigation. A program receives what it always did.
func TestWebNoSuchPage(t *testing.T) {
	t.Parallel()
	b := start(t)
	stranger, reader := b.reader(), b.signedIn(b.AdminToken())
	for _, path := range []string{"/nosuch", "/job/1", "/workers/", "/jobs/x/y/z", "/signout"} {
		stranger.expect(stranger.get(path), http.StatusNotFound, "There is no page at this address.", `href="/"`, "-Sign out", "-admin-token")
		page := reader.get(path)
		reader.expect(page, http.StatusNotFound, "There is no page at this address.", `href="/"`, "Sign out", `href="/workers"`)
		if !strings.HasPrefix(page.header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %v", path, page.header)
		}
	}
	for _, row := range []struct {
		method, path string
		status       int
		body         string
	}{
		{http.MethodGet, "/nosuch", http.StatusNotFound, "404 page not found\n"},
		{http.MethodPost, "/nosuch", http.StatusNotFound, "404 page not found\n"},
		{http.MethodGet, "/signout", http.StatusMethodNotAllowed, "Method Not Allowed\n"},
	} {
		page := reader.do(row.method, row.path, nil, http.Header{"Accept": {"*/*"}})
		if page.status != row.status || page.body != row.body {
			t.Errorf("%s %s: %d %q", row.method, row.path, page.status, page.body)
		}
	}
	reader.expect(reader.do(http.MethodGet, "/v3/nosuch", nil, nil), http.StatusUnauthorized, "-<html")
}

// Workers and queues are shown, paused, resumed and stopped, with a reason.
func TestWebControl(t *testing.T) {
	t.Parallel()
	b := start(t, func(c *controlplane.Config) {
		c.WorkerPicture = func(w io.Writer, _ string) error { _, err := io.WriteString(w, "<svg/>"); return err }
		c.JobPicture = c.WorkerPicture
	})
	w := b.register("<script>alert(1)</script>", "q")
	r := b.signedIn(b.AdminToken())
	r.expect(r.get("/workers"), http.StatusOK, "-<script>alert", "&lt;script&gt;", "/workers/"+w.id)
	r.expect(r.get("/workers?queue=other"), http.StatusOK, "No worker matches")
	path := "/workers/" + w.id
	r.expect(r.get(path), http.StatusOK, "<dt>Registered with</dt><dd>registration-token</dd>")
	r.expect(r.post(path+"/pause", url.Values{"reason": {"kernel upgrade"}}), http.StatusOK, "Paused.", "kernel upgrade", "Resume")
	r.expect(r.post(path+"/pause", nil), http.StatusBadRequest, "Reason must say why")
	r.expect(r.post(path+"/resume", nil), http.StatusOK, "Resumed.")
	r.expect(r.post("/queue/pause", url.Values{"name": {"q"}, "reason": {"release"}}), http.StatusOK, "Paused by admin-token", "release")
	r.expect(r.get("/"), http.StatusOK, "Queue q is paused.", "release", "Needs attention")
	r.expect(r.post("/queue/resume", url.Values{"name": {"q"}}), http.StatusOK, "Resumed.")
	r.expect(r.post(path+"/stop", url.Values{"reason": {"old"}, "force": {"yes"}}), http.StatusOK, "The worker will stop.", "old")
	r.expect(r.get("/audit"), http.StatusOK, "PauseWorker", "ResumeWorker", "StopWorker", "PauseQueue", "ResumeQueue", "kernel upgrade")
	r.expect(r.get("/machine/worker/Running.svg"), http.StatusOK, "<svg/>")
	r.expect(r.get("/machine/other/Running.svg"), http.StatusNotFound)
}

// The pages that wait for a change are notified of it. Their number is bounded.
func TestWebLive(t *testing.T) {
	t.Parallel()
	b := start(t)
	r := b.signedIn(b.AdminToken())
	open := func() (status int, events *bufio.Scanner) {
		ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
		t.Cleanup(cancel)
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.URL()+"/live", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := r.client.Do(req) //nolint:bodyclose // at the end of the test
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = res.Body.Close() })
		return res.StatusCode, bufio.NewScanner(res.Body)
	}
	_, events := open()
	b.submit("q", "true")
	for events.Scan() && events.Text() != "event: change" {
	}
	if events.Text() != "event: change" {
		t.Fatalf("no change: %v", events.Err())
	}
	for range 31 {
		if status, _ := open(); status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
	}
	if status, _ := open(); status != http.StatusServiceUnavailable {
		t.Errorf("one page too many: status %d", status)
	}
}
