package transport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// proxy is an HTTP proxy, with CONNECT, that forwards every host to one server.
type proxy struct {
	server string // the address that it forwards to
	needs  string // the Proxy-Authorization that it requires, if any
	mu     sync.Mutex
	asked  []string
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.Host)
	p.mu.Unlock()
	if p.needs != "" && r.Header.Get("Proxy-Authorization") != p.needs {
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	if r.Method != http.MethodConnect {
		forward := httputil.ReverseProxy{
			Rewrite:       func(r *httputil.ProxyRequest) { r.Out.URL.Host, r.Out.Host = p.server, r.In.Host },
			FlushInterval: -1, ErrorLog: quiet(),
		}
		forward.ServeHTTP(w, r)
		return
	}
	there, err := net.Dial("tcp", p.server)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	here, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		_ = there.Close()
		return
	}
	_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	var both sync.WaitGroup
	both.Go(func() {
		_, _ = io.Copy(there, buffered)
		_ = there.Close()
	})
	both.Go(func() {
		_, _ = io.Copy(here, there)
		_ = here.Close()
	})
	both.Wait()
}

func (p *proxy) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.asked, ", ")
}

// TestProxyFromTheEnvironment runs a client in a process of its own for each setting of
// the environment, since the environment is read once.
func TestProxyFromTheEnvironment(t *testing.T) {
	const name = "control.test"
	ours := newAuthority(t)
	_, handler := newStreamServer(inOrder(send(resume()), hold))
	secure := httptest.NewUnstartedServer(handler)
	secure.EnableHTTP2 = true
	secure.Config.ErrorLog = quiet()
	secure.TLS = &tls.Config{Certificates: []tls.Certificate{ours.sign(t, ours.certificate.NotAfter, name)}}
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(handler)
	defer plain.Close()

	for _, row := range []struct {
		name    string
		scheme  string
		env     string
		needs   string
		through string // the first request to the proxy, or empty for none
		want    string // in the output
	}{
		{name: "https", scheme: "https", env: "HTTPS_PROXY=http://PROXY", through: "CONNECT control.test:443", want: "received: message"},
		{name: "https, lower case", scheme: "https", env: "https_proxy=http://PROXY", through: "CONNECT control.test:443", want: "received: message"},
		{name: "http", scheme: "http", env: "HTTP_PROXY=http://PROXY", through: "POST control.test", want: "received: message"},
		{name: "HTTP_PROXY does not apply to https", scheme: "https", env: "HTTP_PROXY=http://PROXY", want: "received: message"},
		{name: "NO_PROXY", scheme: "https", env: "HTTPS_PROXY=http://PROXY NO_PROXY=other.test,control.test", want: "received: message"},
		{name: "NO_PROXY of a domain", scheme: "https", env: "HTTPS_PROXY=http://PROXY NO_PROXY=.test", want: "received: message"},
		{name: "NO_PROXY of another host", scheme: "https", env: "HTTPS_PROXY=http://PROXY NO_PROXY=other.test", through: "CONNECT control.test:443", want: "received: message"},
		{
			name: "with a password", scheme: "https", env: "HTTPS_PROXY=http://me:secret@PROXY", needs: "Basic bWU6c2VjcmV0",
			through: "CONNECT control.test:443", want: "received: message",
		},
		{
			name: "with a wrong password", scheme: "https", env: "HTTPS_PROXY=http://me:secret@PROXY", needs: "Basic other",
			through: "CONNECT control.test:443", want: "the proxy responded 407 Proxy Authentication Required",
		},
		{name: "a proxy that does not exist", scheme: "https", env: "HTTPS_PROXY=http://127.0.0.1:1", want: "nothing listens at the address of the proxy (proxyconnect tcp: dial tcp 127.0.0.1:1:"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := secure.Listener.Addr().String()
			if row.scheme == "http" {
				server = plain.Listener.Addr().String()
			}
			between := &proxy{server: server, needs: row.needs}
			proxying := httptest.NewServer(between)
			defer proxying.Close()
			child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBehindProxy$", "-test.v")
			child.Env = append([]string{
				"SWITCHYARD_TEST_ENDPOINT=" + row.scheme + "://" + name + "/v3", "SWITCHYARD_TEST_SERVER=" + server,
			}, strings.Fields(row.env)...)
			for i, setting := range child.Env {
				child.Env[i] = strings.Replace(setting, "//PROXY", "//"+proxying.Listener.Addr().String(), 1)
				child.Env[i] = strings.Replace(child.Env[i], "@PROXY", "@"+proxying.Listener.Addr().String(), 1)
			}
			output, err := child.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			if !strings.Contains(string(output), row.want) {
				t.Errorf("got\n%s\nwant %s", output, row.want)
			}
			if got := between.String(); !strings.HasPrefix(got, row.through) || (got == "") != (row.through == "") {
				t.Errorf("the proxy was asked for %q, want %q", got, row.through)
			}
			if strings.Contains(string(output), "secret") {
				t.Errorf("the password is in\n%s", output)
			}
		})
	}
}

// TestBehindProxy is the child process of TestProxyFromTheEnvironment.
func TestBehindProxy(t *testing.T) {
	endpoint, server := os.Getenv("SWITCHYARD_TEST_ENDPOINT"), os.Getenv("SWITCHYARD_TEST_SERVER")
	if endpoint == "" {
		t.Skip("TestProxyFromTheEnvironment runs it")
	}
	options := transport.Options{
		Endpoints: []string{endpoint},
		TLS:       &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if strings.HasPrefix(address, "control.test:") {
				address = server // as a name server would resolve it
			}
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
	if err := registerOnce(t, options); err != nil {
		if errors.Is(err, errTriedAgain) || !transport.Retryable(err) {
			t.Logf("received: %v", err)
		}
		return
	}
	client, err := transport.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	session, err := client.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{Name: "one"})
	if err != nil {
		t.Fatal(err)
	}
	event := <-streaming(t, session)
	t.Logf("received: %v %v", event.Kind, event.Err)
}
