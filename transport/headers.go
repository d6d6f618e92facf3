package transport

import (
	"net/http"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// requestHeaders returns the headers to send for those that a control plane sets.
// Nil means that it sets none, and the caller keeps its own; an empty set clears.
// Names without the prefix, and values that HTTP cannot carry, are left out.
func requestHeaders(set map[string]string) http.Header {
	if set == nil {
		return nil
	}
	headers := make(http.Header, len(set))
	for name, value := range set {
		if allowedRequestHeader(name, value) {
			headers.Set(name, value)
		}
	}
	return headers
}

// firstForbidden returns the name of a header that must not be sent, if there is
// one.
func firstForbidden(headers http.Header) (string, bool) {
	for name, values := range headers {
		for _, value := range values {
			if !allowedRequestHeader(name, value) {
				return name, true
			}
		}
	}
	return "", false
}

func allowedRequestHeader(name, value string) bool {
	return strings.HasPrefix(name, wire.RequestHeaderPrefix) &&
		strings.IndexFunc(name, notInHeaderName) < 0 &&
		strings.IndexFunc(value, notInHeaderValue) < 0
}

// notInHeaderName is stricter than RFC 9110, section 5.6.2, which also allows
// punctuation that no Buildkite header has.
func notInHeaderName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// notInHeaderValue follows RFC 9110, section 5.5: no control characters but tab.
func notInHeaderValue(r rune) bool {
	const del = 0x7f
	return r < ' ' && r != '\t' || r == del
}
