package controlplane

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/config"
)

// TCP keep-alive closes an idle connection whose peer is unreachable, within about
// a minute. HTTP/1.1 has no ping of its own.
const (
	keepAliveIdle     = 30 * time.Second
	keepAliveInterval = 10 * time.Second
	keepAliveCount    = 3
)

// listen opens the server's port.
func listen(ctx context.Context, address string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
	}}
	ln, err := lc.Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		return ln, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listening on %s: the port is taken, maybe by another control plane; "+
			"stop it, or choose another address: %w", address, syscall.EADDRINUSE)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("listening on %s: not permitted; ports below 1024 need privileges, choose another: %w", address, syscall.EACCES)
	default:
		return nil, fmt.Errorf("listening on %s: %w", address, err)
	}
}

// warnIfExposed logs a warning if tokens would cross a network in clear text.
func warnIfExposed(logger *zap.Logger, ln net.Listener, secure bool) {
	if secure || isLoopback(ln.Addr()) {
		return
	}
	logger.Warn("listening without TLS on an address that other machines can reach: "+
		"tokens and logs cross the network in clear text; configure a certificate and a key, or listen on 127.0.0.1",
		zap.Stringer("address", ln.Addr()))
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// listenURL returns the URL for clients on this machine. For an address that means
// every interface it has the loopback address.
func listenURL(ln net.Listener, configured string, secure bool) string {
	scheme := "http"
	if secure {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return scheme + "://" + ln.Addr().String()
	}
	// A configured host name is kept, since a certificate is for a name.
	if name, _, err := net.SplitHostPort(configured); err == nil && net.ParseIP(name) == nil {
		host = name
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(strings.ToLower(host), port)
}

// loadTLS reads the certificate, if one is configured, and returns the TLS
// configuration, or nil without one. A handshake that follows a change of the files
// uses the new certificate.
func (s *Server) loadTLS(c Config) (*tls.Config, error) {
	if c.TLSCertFile == "" {
		return nil, nil //nolint:nilnil // nil means no TLS
	}
	var err error
	s.certificate, err = config.WatchKeyPair(c.TLSCertFile, c.TLSKeyFile, s.noteCertificate)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the files
	}
	return &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return s.certificate.Current(), nil },
		MinVersion:     tls.VersionTLS12,
	}, nil
}

// noteCertificate logs what came of changed files of the certificate.
func (s *Server) noteCertificate(err error) {
	if err != nil {
		s.logger.Error("certificate files changed, but cannot be used; the old certificate stays in use", zap.Error(err))
		return
	}
	s.logger.Info("certificate files changed; the new certificate is in use")
}

// Certificate returns the certificate in use, in DER form, or nil without TLS.
func (s *Server) Certificate() []byte {
	if s.certificate == nil {
		return nil
	}
	return s.certificate.Current().Certificate[0]
}
