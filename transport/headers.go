package transport

import (
	"net/http"
	"strings"
)

// requestHeaderPrefix begins the names of all headers that a control plane may
// ask its agents to send. The case matters, as it does to existing agents.
const requestHeaderPrefix = "Buildkite-"

// requestHeaders turns the headers that a control plane asks for into the set
// to send. Nil means that it said nothing (the caller keeps what it has); an
// empty set clears. Names without the prefix, and what HTTP could not carry,
// are left out.
func requestHeaders(asked map[string]string) http.Header {
	if asked == nil {
		return nil
	}
	set := make(http.Header, len(asked))
	for name, value := range asked {
		if allowedRequestHeader(name, value) {
			set.Set(name, value)
		}
	}
	return set
}

func allowedRequestHeader(name, value string) bool {
	return strings.HasPrefix(name, requestHeaderPrefix) &&
		strings.IndexFunc(name, notInHeaderName) < 0 &&
		strings.IndexFunc(value, notInHeaderValue) < 0
}

// notInHeaderName is stricter than RFC 9110, section 5.6.2, which also allows
// some punctuation that no header of this family uses.
func notInHeaderName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// notInHeaderValue follows RFC 9110, section 5.5: no control characters but
// the tab.
func notInHeaderValue(r rune) bool {
	const del = 0x7f
	return r < ' ' && r != '\t' || r == del
}
