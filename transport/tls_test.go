package transport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// TestTLS shows, over real sockets, the error for each way in which two sides may fail to
// agree on TLS.
func TestTLS(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	server := ours.sign(t, soon, "127.0.0.1")
	agent, stranger := ours.sign(t, soon, "agent"), others.sign(t, soon, "agent")
	needsOurs := &tls.Config{Certificates: []tls.Certificate{server}, ClientCAs: ours.pool(), ClientAuth: tls.RequireAndVerifyClientCert}
	needsOurs12 := needsOurs.Clone()
	needsOurs12.MaxVersion = tls.VersionTLS12

	rows := []struct {
		name   string
		server *tls.Config // nil has no TLS
		client *tls.Config
		scheme string // https if empty
		want   string // in the error; empty for none
		again  bool   // the call would be tried again
		wants  bool   // the error is ErrClientCertificate
	}{
		{
			name: "they agree", server: &tls.Config{Certificates: []tls.Certificate{server}}, client: &tls.Config{RootCAs: ours.pool()},
		},
		{
			name: "they agree on a client certificate", server: needsOurs,
			client: &tls.Config{RootCAs: ours.pool(), Certificates: []tls.Certificate{agent}},
		},
		{
			name: "unknown authority", server: &tls.Config{Certificates: []tls.Certificate{server}}, client: &tls.Config{RootCAs: others.pool()},
			want: "the server's certificate is signed by an authority that is not trusted here (",
		},
		{
			name: "not one of the system's authorities", server: &tls.Config{Certificates: []tls.Certificate{server}},
			want: "the server's certificate is signed by an authority that is not trusted here (",
		},
		{
			name:   "expired",
			server: &tls.Config{Certificates: []tls.Certificate{ours.sign(t, past, "127.0.0.1")}}, client: &tls.Config{RootCAs: ours.pool()},
			want: "the server's certificate is not valid now, by the clock of this machine (",
		},
		{
			name:   "wrong host",
			server: &tls.Config{Certificates: []tls.Certificate{ours.sign(t, soon, "other.test")}}, client: &tls.Config{RootCAs: ours.pool()},
			want: "the server's certificate is for another host (",
		},
		{
			name: "no client certificate", server: needsOurs, client: &tls.Config{RootCAs: ours.pool()},
			want:  "the server requires a client certificate, and none that it accepts was given (",
			again: true, wants: true,
		},
		{
			name: "a client certificate of another authority", server: needsOurs,
			client: &tls.Config{RootCAs: ours.pool(), GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &stranger, nil }},
			want:   "the server requires a client certificate, and none that it accepts was given (",
			again:  true, wants: true,
		},
		{
			name: "no client certificate, in TLS 1.2, which has no alert for it", server: needsOurs12, client: &tls.Config{RootCAs: ours.pool()},
			want: "the server ended the handshake; it may require a client certificate, or share no cipher with this side (", again: true,
		},
		{
			name:   "the server's version is too low",
			server: &tls.Config{MaxVersion: tls.VersionTLS12, Certificates: []tls.Certificate{server}},
			client: &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: ours.pool()},
			want:   "the server speaks no version of TLS that is allowed here (", again: true,
		},
		{
			name:   "the server's version is too high",
			server: &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{server}},
			client: &tls.Config{MaxVersion: tls.VersionTLS12, RootCAs: ours.pool()},
			want:   "the server speaks no version of TLS that is allowed here (", again: true,
		},
		{
			name: "an https request to an http port",
			want: "the server does not speak TLS there; the endpoint may have to begin with http://, or name another port (",
		},
		{
			name: "an http request to an https port", server: &tls.Config{Certificates: []tls.Certificate{server}}, scheme: "http",
			want: "the server speaks TLS there; the endpoint may have to begin with https:// (400 Bad Request",
		},
	}
	for i := range rows {
		row := &rows[i]
		for _, http2 := range []bool{false, true} {
			t.Run(row.name+map[bool]string{false: "/HTTP1", true: "/HTTP2"}[http2], func(t *testing.T) {
				control := httptest.NewUnstartedServer(reply(200, registerAnswer))
				control.EnableHTTP2 = http2
				control.Config.ErrorLog = quiet()
				if row.server != nil {
					control.TLS = row.server.Clone()
					control.StartTLS()
				} else {
					control.Start()
				}
				defer control.Close()
				scheme := "https"
				if row.scheme != "" {
					scheme = row.scheme
				}
				err := registerOnce(t, transport.Options{Endpoints: []string{scheme + "://" + control.Listener.Addr().String() + "/v3"}, TLS: row.client})
				switch {
				case row.want == "" && err != nil:
					t.Fatal(err)
				case row.want == "":
				case err == nil || !strings.Contains(err.Error(), row.want):
					t.Errorf("got %v\nwant %s", err, row.want)
				case strings.Contains(err.Error(), "\n"):
					t.Errorf("more than a line: %v", err)
				case errors.Is(err, errTriedAgain) != row.again || errors.Is(err, httpclient.ErrClientCertificate) != row.wants:
					t.Errorf("tried again: %t, a client certificate: %t", errors.Is(err, errTriedAgain), errors.Is(err, httpclient.ErrClientCertificate))
				}
			})
		}
	}
}

// TestAlertToHTTP shows the error for a server that responds to HTTP with a TLS alert.
func TestAlertToHTTP(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1))
			_, _ = io.WriteString(conn, "\x15\x03\x01\x00\x02\x02\x46")
			_ = conn.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
	}()
	defer func() {
		_ = listener.Close()
		<-done
	}()
	err = registerOnce(t, transport.Options{Endpoints: []string{"http://" + listener.Addr().String() + "/v3"}})
	if err == nil || !strings.Contains(err.Error(), "the server speaks TLS there; the endpoint may have to begin with https:// (") {
		t.Errorf("got %v", err)
	}
}

// errTriedAgain is the cause of a call that would be tried again.
var errTriedAgain = errors.New("it would be tried again")

// onRetry returns a logger that calls do when a call failed and will be tried again.
func onRetry(do func()) *zap.Logger {
	core, _ := observer.New(zapcore.DebugLevel)
	return zap.New(core, zap.Hooks(func(entry zapcore.Entry) error {
		if entry.Message == "call failed; will retry" {
			do()
		}
		return nil
	}))
}

// registerOnce tries once to register a worker.
func registerOnce(t *testing.T, options transport.Options) error {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	options.Logger = onRetry(func() { cancel(errTriedAgain) })
	client, err := transport.New(options)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, err = client.Register(ctx, func() string { return registrationToken }, wire.RegisterRequest{Name: "one"})
	return err
}
