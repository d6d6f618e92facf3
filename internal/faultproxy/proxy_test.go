package faultproxy_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/switchyard-ci/switchyard/internal/faultproxy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// backend returns a server that responds to /quick at once, and to /slow until the
// client disconnects. A value is sent to arrived for each request for /quick.
func backend(t *testing.T) (s *httptest.Server, arrived chan struct{}) {
	t.Helper()
	arrived = make(chan struct{}, 10)
	mux := http.NewServeMux()
	mux.HandleFunc("/quick", func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		_, _ = io.WriteString(w, "quick")
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "begun")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	s = httptest.NewUnstartedServer(mux)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	s.Config.Protocols = protocols
	s.Start()
	t.Cleanup(s.Close)
	return s, arrived
}

// start starts a proxy, which is closed at the end of the test.
func start(t *testing.T, target *httptest.Server) *faultproxy.Proxy {
	t.Helper()
	p, err := faultproxy.Start(t.Context(), target.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func TestCutAndHealOneRoute(t *testing.T) {
	target, _ := backend(t)
	p := start(t, target)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

	slow := get(t, client, p.URL()+"/slow")
	begun := make([]byte, len("begun"))
	if _, err := io.ReadFull(slow.Body, begun); err != nil {
		t.Fatalf("the slow route: %v", err)
	}
	p.Cut("/slow")
	if rest, err := io.ReadAll(slow.Body); err == nil {
		t.Errorf("the running request ended without an error after %q", rest)
	}
	_ = slow.Body.Close()

	for _, c := range []struct {
		name, path string
		heal       bool
		status     int
	}{
		{"the cut route fails", "/slow", false, http.StatusServiceUnavailable},
		{"others work", "/quick", false, http.StatusOK},
		{"the route works after heal", "/slow", true, http.StatusOK},
	} {
		if c.heal {
			p.Heal(c.path)
		}
		r := get(t, client, p.URL()+c.path)
		if r.StatusCode != c.status {
			t.Errorf("%s: status %d, want %d", c.name, r.StatusCode, c.status)
		}
		_ = r.Body.Close()
	}
}

func TestRespondAnswersUntilHeal(t *testing.T) {
	target, arrived := backend(t)
	p := start(t, target)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	p.Respond("/quick", faultproxy.Answer{Status: http.StatusServiceUnavailable, RetryAfter: 7, Body: `{"message":"full"}`})
	for _, want := range []struct {
		status           int
		retryAfter, body string
		reaches          int // requests that the backend has received
	}{
		{http.StatusServiceUnavailable, "7", `{"message":"full"}`, 0},
		{http.StatusOK, "", "quick", 1},
	} {
		r := get(t, client, p.URL()+"/quick")
		body, err := io.ReadAll(r.Body)
		if err != nil || r.StatusCode != want.status || r.Header.Get("Retry-After") != want.retryAfter || string(body) != want.body {
			t.Errorf("status %d, Retry-After %q, body %q, %v; want %+v", r.StatusCode, r.Header.Get("Retry-After"), body, err, want)
		}
		if len(arrived) != want.reaches {
			t.Errorf("the backend received %d requests, want %d", len(arrived), want.reaches)
		}
		_ = r.Body.Close()
		p.Heal("/quick")
	}
}

func TestMuteDiscardsResponsesUntilHeal(t *testing.T) {
	for _, row := range []struct {
		name string
		set  func(*http.Protocols, bool)
	}{
		{"HTTP1", (*http.Protocols).SetHTTP1},
		{"HTTP2", (*http.Protocols).SetUnencryptedHTTP2},
	} {
		t.Run(row.name, func(t *testing.T) {
			target, arrived := backend(t)
			p := start(t, target)
			protocols := new(http.Protocols)
			row.set(protocols, true)
			transport := &http.Transport{Protocols: protocols}
			client := &http.Client{Transport: transport}
			t.Cleanup(transport.CloseIdleConnections)
			p.Mute("/quick")
			ended := make(chan error, 1)
			go func() {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL()+"/quick", http.NoBody)
				if err == nil {
					var response *http.Response
					if response, err = client.Do(request); err == nil {
						_ = response.Body.Close()
					}
				}
				ended <- err
			}()
			<-arrived
			other := get(t, client, p.URL()+"/other") // takes longer than a response to the muted request would
			_ = other.Body.Close()
			select {
			case err := <-ended:
				t.Fatalf("the muted request ended with %v", err)
			default:
			}
			p.Heal("/quick")
			if err := <-ended; err == nil {
				t.Error("the muted request got a response")
			}
			healed := get(t, client, p.URL()+"/quick")
			if body, err := io.ReadAll(healed.Body); err != nil || string(body) != "quick" {
				t.Errorf("after heal the response is %q, %v", body, err)
			}
			_ = healed.Body.Close()
		})
	}
}

func TestTargetMustBeAURL(t *testing.T) {
	_, err := faultproxy.Start(t.Context(), "http://[::1")
	if err == nil || !strings.Contains(err.Error(), "target") {
		t.Errorf("Start: %v", err)
	}
}

func get(t *testing.T, client *http.Client, url string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}
