package controlplane_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

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

// hostile is text that must not become markup.
const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`
