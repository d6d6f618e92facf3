package transport

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// endpoint is the base URL of a control plane. It is immutable.
type endpoint struct {
	base *url.URL // without query, fragment or trailing slash
	// socket is the path of a Unix socket, or empty; base has a host for it.
	socket string
}

// parseEndpoint checks the base URL of a control plane. Credentials in a URL
// find their way into logs, so they are refused.
func parseEndpoint(raw string) (endpoint, error) {
	raw = strings.TrimSpace(raw)
	if rest, ok := strings.CutPrefix(raw, schemeUnix+"://"); ok {
		return parseUnixEndpoint(rest)
	}
	parsed, err := url.Parse(raw)
	if err != nil {
		// The error of net/url repeats the input, which may hold a password.
		return endpoint{}, errors.New("not a URL")
	}
	switch {
	case parsed.Scheme != schemeHTTP && parsed.Scheme != schemeHTTPS:
		return endpoint{}, fmt.Errorf("must begin with http://, https:// or unix://, got scheme %q", parsed.Scheme)
	case parsed.Hostname() == "":
		return endpoint{}, errors.New("has no host")
	case isUnixHost(parsed.Host):
		return endpoint{}, errors.New("must name a socket as in unix:///path/to.sock")
	case parsed.User != nil:
		return endpoint{}, errors.New("must not contain a user name or password")
	case parsed.RawQuery != "" || parsed.ForceQuery || parsed.Fragment != "":
		return endpoint{}, errors.New("must not contain a query or fragment")
	}
	parsed.Path = strings.TrimRight(parsed.Path, "/")
	parsed.RawPath = strings.TrimRight(parsed.RawPath, "/")
	return endpoint{base: parsed}, nil
}

// String is the base URL, without a trailing slash.
func (e endpoint) String() string { return e.named(e.base.String()) }

// named is a URL under the endpoint as people write it.
func (e endpoint) named(address string) string {
	if e.socket == "" {
		return address
	}
	name := schemeUnix + "://" + e.socket
	if path := strings.TrimPrefix(address, e.root()); path != "" {
		name += ":" + path
	}
	return name
}

// nameIn has an error of net/http name the endpoint as people do.
func (e endpoint) nameIn(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok && e.socket != "" {
		return &url.Error{Op: failed.Op, URL: e.named(failed.URL), Err: failed.Err}
	}
	return err
}

// secure reports whether nobody on a network can read what is sent there.
func (e endpoint) secure() bool { return e.base.Scheme == schemeHTTPS || e.socket != "" }

// url is the address of a REST route; each segment is escaped.
func (e endpoint) url(segments ...string) (*url.URL, error) {
	var address strings.Builder
	address.WriteString(e.base.String())
	for _, segment := range segments {
		address.WriteByte('/')
		address.WriteString(escapeSegment(segment))
	}
	parsed, err := url.Parse(address.String())
	if err != nil {
		return nil, fmt.Errorf("building the address of %v: %w", segments, err)
	}
	return parsed, nil
}

// root is where the stream is served: scheme and host of the endpoint, its
// path replaced, as existing agents do it.
func (e endpoint) root() string {
	return (&url.URL{Scheme: e.base.Scheme, Host: e.base.Host}).String()
}

// escapeSegment escapes one segment of a path. The dot is escaped as well, so
// that an id of ".." stays an id.
func escapeSegment(segment string) string {
	return strings.ReplaceAll(url.PathEscape(segment), ".", "%2E")
}

const (
	schemeHTTP  = "http"
	schemeHTTPS = "https"
)
