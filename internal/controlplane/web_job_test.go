package controlplane_test

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

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
