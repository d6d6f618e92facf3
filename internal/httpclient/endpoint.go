package httpclient

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

const (
	schemeHTTP  = "http"
	schemeHTTPS = "https"
	schemeUnix  = "unix://"

	// socketHosts ends the host names that stand for Unix sockets: net/http knows
	// only hosts, so a socket becomes its path in hexadecimal under a name that no
	// other host can have (RFC 6761, section 6.4).
	socketHosts = ".socket.invalid"
	// socketHostHeader is the Host header of requests over a Unix socket.
	socketHostHeader = "localhost"
)

// Endpoint is the base URL of a control plane, on a host or on a Unix socket. It
// is immutable. The zero value is not valid.
type Endpoint struct {
	base *url.URL // without query, fragment or trailing slash
}

// ParseEndpoint parses http://HOST[:PORT][/PATH], https://HOST[:PORT][/PATH] or
// unix:///SOCKET[:/PATH]. It refuses user names and passwords, because endpoints
// are written to logs. Its errors continue a text that begins with "endpoint", and do
// not repeat the input.
func ParseEndpoint(raw string) (Endpoint, error) {
	raw = strings.TrimSpace(raw)
	if rest, ok := strings.CutPrefix(raw, schemeUnix); ok {
		return parseSocket(rest)
	}
	if !strings.Contains(raw, "://") {
		return Endpoint{}, errors.New("must begin with http://, https:// or unix://")
	}
	base, err := url.Parse(raw)
	if err != nil {
		return Endpoint{}, errors.New("is not a URL")
	}
	switch {
	case base.Scheme != schemeHTTP && base.Scheme != schemeHTTPS:
		return Endpoint{}, fmt.Errorf("must begin with http://, https:// or unix://, got scheme %q", base.Scheme)
	case base.Hostname() == "":
		return Endpoint{}, errors.New("has no host")
	case !isPort(base.Port()):
		return Endpoint{}, fmt.Errorf("must have a port from 1 to %d", math.MaxUint16)
	case isSocketHost(base.Host):
		return Endpoint{}, errors.New("must name a socket as in unix:///path/to.sock")
	case base.User != nil:
		return Endpoint{}, errors.New("must not contain a user name or password")
	case base.RawQuery != "" || base.ForceQuery || base.Fragment != "":
		return Endpoint{}, errors.New("must not contain a query or fragment")
	}
	base.Path = strings.TrimRight(base.Path, "/")
	base.RawPath = strings.TrimRight(base.RawPath, "/")
	return Endpoint{base: base}, nil
}

// parseSocket parses what follows unix://.
func parseSocket(rest string) (Endpoint, error) {
	socket, path, _ := strings.Cut(rest, ":")
	switch {
	case !strings.HasPrefix(socket, "/") || strings.HasSuffix(socket, "/"):
		return Endpoint{}, errors.New("must name a socket, as in unix:///path/to.sock")
	case path != "" && !strings.HasPrefix(path, "/"):
		return Endpoint{}, errors.New(`must name a path after the socket and ":", as in unix:///path/to.sock:/v3`)
	case strings.ContainsAny(path, "?#"):
		return Endpoint{}, errors.New("must not contain a query or fragment")
	}
	host := hex.EncodeToString([]byte(socket)) + socketHosts
	base, err := url.Parse(schemeHTTP + "://" + host + strings.TrimRight(path, "/"))
	if err != nil {
		return Endpoint{}, errors.New("is not a URL")
	}
	return Endpoint{base: base}, nil
}

// String returns the endpoint as people write it, without a trailing slash.
func (e Endpoint) String() string { return displayURL(e.base) }

// HTTPURL returns the base URL for requests. It differs from String for a Unix
// socket, whose host only a [Client] can dial.
func (e Endpoint) HTTPURL() string { return e.base.String() }

// Origin returns scheme and host for requests, without the path.
func (e Endpoint) Origin() string { return origin(e.base) }

// Path returns the path of the base URL, without a trailing slash.
func (e Endpoint) Path() string { return e.base.Path }

// IsSocket reports whether the endpoint is on a Unix socket.
func (e Endpoint) IsSocket() bool { return isSocketHost(e.base.Host) }

// Secure reports whether nobody on a network can read what is sent there.
func (e Endpoint) Secure() bool { return e.base.Scheme == schemeHTTPS || e.IsSocket() }

// URL returns the URL of a route below the endpoint. Each segment is escaped, its
// dots too, so that an ID of ".." stays one segment.
func (e Endpoint) URL(segments ...string) (*url.URL, error) {
	var address strings.Builder
	address.WriteString(e.base.String())
	for _, segment := range segments {
		address.WriteByte('/')
		address.WriteString(strings.ReplaceAll(url.PathEscape(segment), ".", "%2E"))
	}
	parsed, err := url.Parse(address.String())
	if err != nil {
		return nil, fmt.Errorf("building the URL of %v: %w", segments, err)
	}
	return parsed, nil
}

func origin(address *url.URL) string {
	return (&url.URL{Scheme: address.Scheme, Host: address.Host}).String()
}

// displayURL returns an address as people write it, also on a Unix socket.
func displayURL(address *url.URL) string {
	socket, ok := socketPath(address.Host)
	if !ok {
		return address.String()
	}
	name := schemeUnix + socket
	if path := strings.TrimPrefix(address.String(), origin(address)); path != "" {
		name += ":" + path
	}
	return name
}

// isSocketHost reports whether a host, with or without a port, stands for a Unix
// socket.
func isSocketHost(host string) bool {
	return strings.HasSuffix(strings.ToLower(strings.TrimSuffix(withoutPort(host), ".")), socketHosts)
}

// socketPath returns the path of the Unix socket that a host stands for.
func socketPath(host string) (string, bool) {
	name, ok := strings.CutSuffix(withoutPort(host), socketHosts)
	if !ok {
		return "", false
	}
	socket, err := hex.DecodeString(name)
	return string(socket), err == nil
}

// isPort reports whether a port of a URL can be dialed; empty is that of its scheme.
func isPort(port string) bool {
	number, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && number > 0
}

func withoutPort(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// exceptSockets keeps requests to Unix sockets away from proxies.
func exceptSockets(proxy func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(request *http.Request) (*url.URL, error) {
		if isSocketHost(request.URL.Host) {
			return nil, nil
		}
		return proxy(request)
	}
}

// hostPort returns the host and port to dial for a URL.
func hostPort(address *url.URL) string {
	return net.JoinHostPort(address.Hostname(), portOf(address))
}

func portOf(address *url.URL) string {
	if port := address.Port(); port != "" {
		return port
	}
	return defaultPort(address.Scheme)
}

func defaultPort(scheme string) string {
	if scheme == schemeHTTPS {
		return "443"
	}
	return "80"
}
