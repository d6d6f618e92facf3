package transport_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// TestTLSChanges replaces the TLS configuration of a client between calls, and checks
// that the next connection uses it, in both directions.
func TestTLSChanges(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	soon := time.Now().Add(time.Hour)
	agent := ours.sign(t, soon, "agent")
	complete := &tls.Config{RootCAs: ours.pool(), Certificates: []tls.Certificate{agent}}
	for _, http2 := range []bool{false, true} {
		t.Run(map[bool]string{false: "HTTP1", true: "HTTP2"}[http2], func(t *testing.T) {
			control := httptest.NewUnstartedServer(reply(200, registerAnswer))
			control.EnableHTTP2, control.Config.ErrorLog = http2, quiet()
			control.TLS = &tls.Config{
				Certificates: []tls.Certificate{ours.sign(t, soon, "127.0.0.1")}, ClientCAs: ours.pool(), ClientAuth: tls.RequireAndVerifyClientCert,
			}
			control.StartTLS()
			defer control.Close()
			current := complete
			giveUp := func(error) {}
			client, err := transport.New(transport.Options{
				Endpoints: []string{"https://" + control.Listener.Addr().String() + "/v3"}, CurrentTLS: func() *tls.Config { return current },
				Logger: onRetry(func() { giveUp(errTriedAgain) }),
			})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			for _, step := range []struct {
				name   string
				config *tls.Config
				want   error
			}{
				{"complete", complete, nil},
				{"the authority is not trusted any more", &tls.Config{RootCAs: others.pool(), Certificates: []tls.Certificate{agent}}, httpclient.ErrUnknownAuthority},
				{"the client certificate is gone", &tls.Config{RootCAs: ours.pool()}, httpclient.ErrClientCertificate},
				{"complete again", &tls.Config{RootCAs: ours.pool(), Certificates: []tls.Certificate{agent}}, nil},
			} {
				current = step.config
				ctx, cancel := context.WithCancelCause(t.Context())
				giveUp = cancel
				_, err := client.Register(ctx, func() string { return registrationToken }, wire.RegisterRequest{Name: "one"})
				cancel(nil)
				if !errors.Is(err, step.want) {
					t.Errorf("%s: error %v, want %v", step.name, err, step.want)
				}
			}
		})
	}
}
