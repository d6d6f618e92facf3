package controlplane_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// reader is a reader of the web page, without a script.
type reader struct {
	t      *testing.T
	client *http.Client
	url    string
}

// reader returns one that has not signed in.
func (b *bed) reader() *reader {
	b.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	client := *b.client
	client.Jar = jar
	return &reader{b.t, &client, b.URL()}
}

// signedIn returns a reader that has signed in with a token.
func (b *bed) signedIn(presented string) *reader {
	b.t.Helper()
	r := b.reader()
	if page := r.post("/signin", url.Values{"token": {presented}}); !strings.Contains(page.body, "Sign out") {
		b.t.Fatalf("signing in: %d %s", page.status, page.body)
	}
	return r
}

// shown is a page.
type shown struct {
	status int
	path   string // after all redirects
	header http.Header
	body   string
}

func (r *reader) get(path string) shown { r.t.Helper(); return r.do(http.MethodGet, path, nil, nil) }

func (r *reader) post(path string, form url.Values) shown {
	r.t.Helper()
	return r.do(http.MethodPost, path, form, nil)
}

func (r *reader) do(method, path string, form url.Values, header http.Header) shown {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), waitLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, r.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	maps.Copy(req.Header, header)
	res, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return shown{res.StatusCode, res.Request.URL.Path, res.Header, string(body)}
}

// expect checks the status of a page and what it contains; a text after "-" it must not.
func (r *reader) expect(page shown, status int, texts ...string) {
	r.t.Helper()
	if page.status != status {
		r.t.Errorf("%s: status %d, want %d", page.path, page.status, status)
	}
	for _, text := range texts {
		unwanted, not := strings.CutPrefix(text, "-")
		if strings.Contains(page.body, unwanted) == not {
			r.t.Errorf("%s: %q is wrong in\n%s", page.path, text, page.body)
		}
	}
}

// A session offers what its token allows, and ends with its token.
func TestWebSession(t *testing.T) {
	t.Parallel()
	b := start(t)
	operator := b.signedIn(b.AdminToken())
	operator.expect(operator.get("/jobs"), http.StatusOK, "Submit a job", "admin-token")
	operator.expect(operator.get("/audit"), http.StatusOK)

	presented := b.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_READ)
	viewer := b.signedIn(presented)
	viewer.expect(viewer.get("/jobs"), http.StatusOK, "-Submit a job", "-Audit")
	viewer.expect(viewer.get("/audit"), http.StatusForbidden)
	viewer.expect(viewer.post("/queue/pause", url.Values{"name": {"q"}, "reason": {"r"}}), http.StatusForbidden)
	id, _ := token.Named.ID(presented)
	if _, err := b.tokens.RevokeToken(t.Context(), &switchyardv1.RevokeTokenRequest{Id: id}); err != nil {
		t.Fatal(err)
	}
	if page := viewer.get("/jobs"); page.path != "/signin" {
		t.Errorf("after the revocation: %s", page.path)
	}

	submitter := b.signedIn(b.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_SUBMIT))
	submitter.expect(submitter.get("/"), http.StatusOK, "Submit a job", "Open a job by its ID")

	address, err := url.Parse(operator.url)
	if err != nil {
		t.Fatal(err)
	}
	copied := b.reader()
	copied.client.Jar.SetCookies(address, operator.client.Jar.Cookies(address))
	copied.expect(copied.get("/jobs"), http.StatusOK, "Submit a job")
	another := b.signedIn(b.AdminToken())
	if page := operator.post("/signout", nil); page.path != "/signin" {
		t.Errorf("after the sign-out: %s", page.path)
	}
	if page := operator.get("/workers?state=all"); page.path != "/signin" || !strings.Contains(page.body, `value="/workers?state=all"`) {
		t.Errorf("after the sign-out: %s\n%s", page.path, page.body)
	}
	if page := copied.get("/jobs"); page.path != "/signin" {
		t.Errorf("a copy of the cookie, after the sign-out: %s", page.path)
	}
	another.expect(another.get("/jobs"), http.StatusOK, "Submit a job")
}

// Sessions that were ended take room in the store, so a token can end only so many at once.
func TestWebSignOutIsBounded(t *testing.T) {
	t.Parallel()
	b := start(t)
	for range 10 {
		r := b.signedIn(b.AdminToken())
		r.expect(r.post("/signout", nil), http.StatusOK, "Sign in")
	}
	r := b.signedIn(b.AdminToken())
	r.expect(r.post("/signout", nil), http.StatusServiceUnavailable, "This browser is signed out, but")
	if page := r.get("/jobs"); page.path != "/signin" {
		t.Errorf("after the sign-out: %s", page.path)
	}
}

// Who may not sign in learns why, and after some attempts has to wait.
func TestWebSignInRefused(t *testing.T) {
	t.Parallel()
	b := start(t)
	r := b.reader()
	r.expect(r.post("/signin", url.Values{"token": {b.RegistrationToken()}}), http.StatusUnauthorized, "for agents")
	for range 9 {
		r.expect(r.post("/signin", url.Values{"token": {"wrong"}}), http.StatusUnauthorized, "not one of this control plane", "-wrong")
	}
	r.expect(r.post("/signin", url.Values{"token": {b.AdminToken()}}), http.StatusTooManyRequests, "Wait a moment")
	for next, want := range map[string]string{"//evil": "/", `/\evil`: "/", "https://evil": "/", "/jobs?queue=q": "/jobs?queue=q"} {
		r.expect(r.get("/signin?next="+url.QueryEscape(next)), http.StatusOK, `name="next" value="`+want+`"`)
	}
}

// A form that another site sends is refused before it is read, and every response has the
// headers that keep other sites out.
func TestWebOtherSites(t *testing.T) {
	t.Parallel()
	b := start(t)
	r := b.signedIn(b.AdminToken())
	for _, header := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}},
	} {
		for _, path := range []string{"/jobs", "/signin", "/signout", "/queue/pause"} {
			page := r.do(http.MethodPost, path, url.Values{"command": {"true"}, "token": {b.AdminToken()}}, header)
			r.expect(page, http.StatusForbidden)
		}
	}
	r.expect(r.get("/jobs"), http.StatusOK, "No job matches")
	port := r.url[strings.LastIndex(r.url, ":"):]
	rebound := *r // a name of another site that leads here
	rebound.url, rebound.client = "http://rebound.example"+port, b.resolving("rebound.example"+port, r.client)
	if page := rebound.get("/jobs"); page.path != "/signin" {
		t.Errorf("under another name a session is that of this one: %s", page.path)
	}
	rebound.expect(rebound.post("/queue/pause", url.Values{"name": {"q"}, "reason": {"r"}}), http.StatusUnauthorized)
	for _, path := range []string{"/", "/jobs", "/jobs/nosuch", "/static/nosuch", "/audit", "/machine/job/queued.svg"} {
		header := r.get(path).header
		if !strings.HasPrefix(header.Get("Content-Security-Policy"), "default-src 'none'") || header.Get("X-Content-Type-Options") != "nosniff" ||
			header.Get("Referrer-Policy") != "no-referrer" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, header)
		}
	}
}

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

// resolving returns a client with the cookies of another one, for which an address leads to
// the control plane.
func (b *bed) resolving(address string, like *http.Client) *http.Client {
	transport := &http.Transport{DialContext: func(ctx context.Context, network, to string) (net.Conn, error) {
		if to == address {
			to = strings.TrimPrefix(b.URL(), "http://")
		}
		return (&net.Dialer{}).DialContext(ctx, network, to)
	}}
	b.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Jar: like.Jar}
}

// hostile is text that must not become markup.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`

// A job is submitted, shown, canceled and run again; what it is called stays text.
func TestWebJob(t *testing.T) {
	t.Parallel()
	b := start(t)
	r := b.signedIn(b.AdminToken())
	r.expect(r.post("/jobs", url.Values{"command": {" "}}), http.StatusBadRequest, "The command is missing")
	r.expect(r.post("/jobs", url.Values{"command": {"x"}, "queue": {"a b"}}), http.StatusBadRequest, "Queue")
	r.expect(r.post("/jobs", url.Values{"command": {"x"}, "env": {"nothing"}}), http.StatusBadRequest, "NAME=VALUE")
	r.expect(r.post("/jobs", url.Values{"command": {"x"}, "tags": {"os"}}), http.StatusBadRequest, "Tags have", `value="os"`)
	page := r.post("/jobs", url.Values{
		"tags":    {" os=linux, gpu=*,"},
		"command": {"echo " + hostile}, "queue": {"q"}, "env": {"MY_TOKEN=geheim\r\nB=" + hostile}, "timeout": {"5m"}, "retries": {"2"},
	})
	r.expect(page, http.StatusOK, "The job was submitted.", "&lt;script&gt;", "-<script>alert", "-<img src=x", "-geheim", "REDACTED", "queued", "5m0s", "gpu=*, os=linux")
	job := page.path
	r.expect(r.get("/"), http.StatusOK, "-<script>alert", "-<img src=x", `href="`+job+`"`)
	r.expect(r.get("/jobs?text=ECHO&state=active&queue=q&since=1h"), http.StatusOK, `href="`+job+`"`, "1 jobs searched")
	r.expect(r.get("/jobs?text=nosuch"), http.StatusOK, "No job matches these filters", `-href="`+job+`"`)
	r.expect(r.get("/jobs?state=nosuch"), http.StatusBadRequest, "nosuch")
	r.expect(r.get("/jobs?queue="+url.QueryEscape(hostile)), http.StatusOK, "-<script>alert")
	r.expect(r.get(job+"?line=7&part=state"), http.StatusOK)
	r.expect(r.post(job+"/cancel", url.Values{"reason": {hostile}}), http.StatusOK, "The cancellation was requested.", "-<script>alert", "Canceled: ")
	r.expect(r.post(job+"/cancel", nil), http.StatusOK, "Nothing was changed")
	again := r.post(job+"/rerun", url.Values{"key": {"0e0fb2bb-5e4e-4d6f-a5a3-6b9d0d5f8a01"}})
	r.expect(again, http.StatusOK, "submitted again", "queued")
	if twice := r.post(job+"/rerun", url.Values{"key": {"0e0fb2bb-5e4e-4d6f-a5a3-6b9d0d5f8a01"}}); twice.path != again.path {
		t.Errorf("sent twice: %s and %s", again.path, twice.path)
	}
	r.expect(r.get("/audit?text="+strings.TrimPrefix(job, "/jobs/")), http.StatusOK, "CancelJob", "SubmitJob", "admin-token", "-<script>alert")
	r.expect(r.get("/jobs/"+unknownID), http.StatusNotFound, "There is no job")
}

// A log is shown from its end, from a line and as it was written.
func TestWebLog(t *testing.T) {
	t.Parallel()
	b := start(t)
	j := b.running(b.register("w", "q"), queued("q"))
	id := j.id
	log := "\x1b[31mred\x1b[0m <b>bold</b>\n" + strings.Repeat("line\n", 1000) + "10%\r99%"
	j.write(log)
	r := b.signedIn(b.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_READ))
	r.expect(r.get("/jobs/"+id), http.StatusOK, `id="L1002"`, "99%", "-10%", `-id="L1"`, "Earlier lines (1 to ", `data-next="1002"`, "data-follows")
	r.expect(r.get("/jobs/"+id+"?line=1"), http.StatusOK, `<span class="term-fg31">red</span> &lt;b&gt;bold`, `id="L1"`, `-id="L1002"`, "Later lines", "-data-follows")
	r.expect(r.get("/jobs/"+id+"/lines?from=1&count=1"), http.StatusOK, `{"lines":[{"n":1,"html":"\u003cspan class=\"term-fg31\"\u003ered`)
	r.expect(r.get("/jobs/"+id+"/lines?from=0&count=1"), http.StatusBadRequest)
	raw := r.get("/jobs/" + id + "/raw")
	if raw.body != log || !strings.HasPrefix(raw.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("raw log: %d bytes, %v", len(raw.body), raw.header)
	}
	short := b.running(b.register("w2", "q2"), queued("q2"))
	short.write("one\n")
	raw = r.get("/jobs/" + short.id + "/raw")
	if raw.body != "one\n" || raw.header.Get("Content-Length") != "" { // else one time limit is that of the whole log
		t.Errorf("the parts of a log are not sent as they are read: %q, %v", raw.body, raw.header)
	}
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

// running is a job that runs, and whose log grows.
type running struct {
	b           *bed
	id, token   string
	sequence, n int
}

// running returns a job of a queue that a worker has started.
func (b *bed) running(w worker, req *switchyardv1.SubmitJobRequest) *running {
	b.t.Helper()
	job := b.accepted(w, req)
	j := &running{b: b, id: job.text("id"), token: job.text("token")}
	b.must(http.StatusOK, request{method: "PUT", path: "/v3/jobs/" + j.id + "/start", token: j.token, body: "{}"})
	return j
}

// write adds to the log of the job.
func (j *running) write(text string) {
	j.b.t.Helper()
	j.sequence++
	path := fmt.Sprintf("/v3/jobs/%s/chunks?sequence=%d&offset=%d&size=%d", j.id, j.sequence, j.n, len(text))
	j.b.must(http.StatusOK, request{method: "POST", path: path, token: j.token, header: chunkHeader(), body: gzipped(j.b.t, text)})
	j.n += len(text)
}

// finish ends the job with a result.
func (j *running) finish(result string) {
	j.b.t.Helper()
	j.b.must(http.StatusOK, request{method: "PUT", path: "/v3/jobs/" + j.id + "/finish", token: j.token, body: result})
}

// The lines of a log are sent as they come, from a line on, and then that the job ended.
func TestWebLogLive(t *testing.T) {
	t.Parallel()
	b := start(t)
	j := b.running(b.register("w", "q"), queued("q"))
	j.write("one\ntwo\nthr")
	r := b.signedIn(b.AdminToken())
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.URL()+"/jobs/"+j.id+"/live?from=1", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Last-Event-ID", "2") // the browser has line 1
	res, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	events := bufio.NewScanner(res.Body)
	next := func(name string) (id, data string) {
		t.Helper()
		got := ""
		for events.Scan() {
			field, value, _ := strings.Cut(events.Text(), ": ")
			switch field {
			case "id":
				id = value
			case "event":
				got = value
			case "data":
				if got == name {
					return id, value
				}
				id = ""
			}
		}
		t.Fatalf("no event %q: %v", name, events.Err())
		return "", ""
	}
	for _, step := range []struct{ write, id, want string }{
		{"", "3", `[{"n":2,"html":"two"},{"n":3,"html":"thr"}]`},
		{"ee\nfour", "4", `[{"n":3,"html":"three"},{"n":4,"html":"four"}]`},
		{"\r<55>\n", "5", `[{"n":4,"html":"\u0026lt;55\u0026gt;"}]`},
	} {
		if step.write != "" {
			j.write(step.write)
		}
		if id, data := next("lines"); id != step.id || data != step.want {
			t.Errorf("after %q: line %s, %s", step.write, id, data)
		}
	}
	j.finish(`{"exit_status":"0"}`)
	next("end")
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

// A session ends when its token is replaced in its file, and survives when the token is one
// of two.
func TestWebReplacedToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, func(c *controlplane.Config) { c.DataDir = dir })
	r := b.signedIn(b.AdminToken())
	path := filepath.Join(dir, "admin-token")
	for _, step := range []struct{ content, want string }{
		{strings.Repeat("new", 10) + "\n" + b.AdminToken() + "\n", "/jobs"}, {strings.Repeat("new", 10) + "\n", "/signin"},
	} {
		if err := os.WriteFile(path, []byte(step.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Reload(controlplane.Config{DataDir: dir}); err != nil {
			t.Fatal(err)
		}
		if page := r.get("/jobs"); page.path != step.want {
			t.Errorf("%s, want %s", page.path, step.want)
		}
	}
}
