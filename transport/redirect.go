package transport

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

const maxRedirects = 10

var errTooManyRedirects = errors.New("too many redirects")

// checkRedirect decides whether a redirect is followed, and with what.
//
// A redirect that would turn the request into a GET (a login page, usually) is
// not followed: its 200 would pass for an answer to a call whose body is not
// read. Tokens go along to the origin they were meant for and nowhere else;
// net/http alone would also hand them to other ports and to subdomains.
func checkRedirect(request *http.Request, via []*http.Request) error {
	first := via[0]
	if request.Method != first.Method {
		return http.ErrUseLastResponse
	}
	if isUnixHost(request.URL.Host) && request.URL.Host != first.URL.Host {
		return errLocalSocket
	}
	if len(via) >= maxRedirects {
		return errTooManyRedirects
	}
	if sameOrigin(first.URL, request.URL) {
		request.Header.Set(headerAuthorization, first.Header.Get(headerAuthorization)) //nolint:gosec // to its own origin only
		return nil
	}
	for name := range request.Header {
		if name == headerAuthorization || strings.HasPrefix(name, requestHeaderPrefix) {
			request.Header.Del(name)
		}
	}
	return nil
}

// sameOrigin reports whether two URLs have the same scheme, host and port. A
// move from http to https on the default ports is the same origin as well: it
// is the same server, better protected.
func sameOrigin(from, to *url.URL) bool {
	if !strings.EqualFold(from.Hostname(), to.Hostname()) {
		return false
	}
	if from.Scheme == to.Scheme {
		return portOf(from) == portOf(to)
	}
	return from.Scheme == schemeHTTP && to.Scheme == schemeHTTPS &&
		portOf(from) == defaultPort(schemeHTTP) && portOf(to) == defaultPort(schemeHTTPS)
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
