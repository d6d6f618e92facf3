package httpclient

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	maxRedirects        = 10
	headerAuthorization = "Authorization"
)

var errTooManyRedirects = errors.New("too many redirects")

// ErrRemoteSocket refuses a Unix socket of this machine that a control plane
// elsewhere names.
var ErrRemoteSocket = errors.New("only a control plane on a socket may name another socket of this machine")

// returnRedirect follows no redirect.
func returnRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// checkRedirect decides whether a redirect is followed, and with which headers.
//
// A redirect that would turn the request into a GET (usually to a login page) is
// not followed: its status 200 would look like success to a call that does not
// read the body. Tokens are sent to the origin of the first request only; net/http
// alone would also send them to other ports and to subdomains.
func checkRedirect(request *http.Request, via []*http.Request) error {
	first := via[0]
	if request.Method != first.Method {
		return http.ErrUseLastResponse
	}
	if isSocketHost(request.URL.Host) && request.URL.Host != first.URL.Host {
		return ErrRemoteSocket
	}
	if len(via) >= maxRedirects {
		return errTooManyRedirects
	}
	if sameOrigin(first.URL, request.URL) {
		request.Header.Set(headerAuthorization, first.Header.Get(headerAuthorization)) //nolint:gosec // to its own origin only
		return nil
	}
	for name := range request.Header {
		if name == headerAuthorization || strings.HasPrefix(name, wire.RequestHeaderPrefix) {
			request.Header.Del(name)
		}
	}
	return nil
}

// sameOrigin reports whether two URLs have the same scheme, host and port. A move
// from http to https on the default ports counts as the same origin.
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
