package transport

import (
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// A Unix socket is named as unix:///path/to.sock, or unix:///path/to.sock:/v3
// with the path at which the API is served there. net/http knows hosts alone,
// so a socket is given one: its path in hexadecimal, under a name that no other
// host can have (RFC 6761, section 6.4). It is not seen outside of this package.
const (
	schemeUnix = "unix"
	unixHosts  = ".socket.invalid"
	// unixHostHeader is the Host that requests over a socket carry.
	unixHostHeader = "localhost"
)

// parseUnixEndpoint reads what comes after unix://.
func parseUnixEndpoint(rest string) (endpoint, error) {
	socket, prefix, _ := strings.Cut(rest, ":")
	switch {
	case !strings.HasPrefix(socket, "/") || strings.HasSuffix(socket, "/"):
		return endpoint{}, errors.New("must name a socket, as in unix:///path/to.sock")
	case prefix != "" && !strings.HasPrefix(prefix, "/"):
		return endpoint{}, errors.New(`must name a path after the socket and ":", as in unix:///path/to.sock:/v3`)
	case strings.ContainsAny(prefix, "?#"):
		return endpoint{}, errors.New("must not contain a query or fragment")
	}
	base, err := url.Parse(schemeHTTP + "://" + hex.EncodeToString([]byte(socket)) + unixHosts + strings.TrimRight(prefix, "/"))
	if err != nil {
		return endpoint{}, errors.New("not a URL")
	}
	return endpoint{base: base, socket: socket}, nil
}

// isUnixHost tells the host of a socket, with or without a port, from others.
func isUnixHost(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	return strings.HasSuffix(strings.ToLower(strings.TrimSuffix(name, ".")), unixHosts)
}

// socketOf is the socket behind an address to dial.
func socketOf(address string) (string, bool) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", false
	}
	name, ok := strings.CutSuffix(host, unixHosts)
	socket, err := hex.DecodeString(name)
	return string(socket), ok && err == nil
}

// notOverSockets keeps requests over a socket from proxies.
func notOverSockets(proxy func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(request *http.Request) (*url.URL, error) {
		if isUnixHost(request.URL.Host) {
			return nil, nil
		}
		return proxy(request)
	}
}
