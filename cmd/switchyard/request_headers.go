package main

import (
	"net/http"
	"strings"
)

// requestHeaderEnv begins the environment variables that name headers to send to
// the control plane until it asks for others, as existing agents have it:
// BUILDKITE_REQUEST_HEADER_BUILDKITE_CELL=7 is Buildkite-Cell: 7.
const requestHeaderEnv = "BUILDKITE_REQUEST_HEADER_"

// requestHeaders are the headers that an environment names. Only those that
// begin with Buildkite- may be sent; others are left out.
func requestHeaders(environ []string) http.Header {
	headers := http.Header{}
	for _, setting := range environ {
		name, value, _ := strings.Cut(setting, "=")
		header, ok := strings.CutPrefix(name, requestHeaderEnv)
		if ok && strings.HasPrefix(header, "BUILDKITE_") {
			headers.Set(strings.ReplaceAll(header, "_", "-"), value)
		}
	}
	return headers
}
