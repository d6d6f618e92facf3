package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// TCP keep-alive finds peers that vanished from an idle connection, within about a
// minute, on HTTP/1.1 too, which has no ping of its own.
const (
	keepAliveIdle     = 30 * time.Second
	keepAliveInterval = 10 * time.Second
	keepAliveCount    = 3
)

// listen opens the one port of the server.
func listen(ctx context.Context, address string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
	}}
	ln, err := lc.Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		return ln, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("listening on %s: the port is taken; is another control plane running? "+
			"Stop it, or choose another address: %w", address, syscall.EADDRINUSE)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("listening on %s: not permitted; ports below 1024 need a privilege: %w", address, syscall.EACCES)
	default:
		return nil, fmt.Errorf("listening on %s: %w", address, err)
	}
}

// warnIfExposed says so when tokens would cross a network in clear text.
func warnIfExposed(logger *zap.Logger, ln net.Listener, tls bool) {
	if tls || isLoopback(ln.Addr()) {
		return
	}
	logger.Warn("listening without TLS on an address that other machines can reach: "+
		"tokens and logs cross the network in clear text; give a certificate and a key, or listen on 127.0.0.1",
		zap.Stringer("address", ln.Addr()))
}

func isLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// listenURL is the address in a form that a client on this machine can use: an
// address that means every interface is shown as loopback.
func listenURL(ln net.Listener, configured string, tls bool) string {
	scheme := "http"
	if tls {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(ln.Addr().String())
	if err != nil {
		return scheme + "://" + ln.Addr().String()
	}
	// A certificate names a host, so a configured name is kept.
	if name, _, err := net.SplitHostPort(configured); err == nil && net.ParseIP(name) == nil {
		host = name
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(strings.ToLower(host), port)
}
