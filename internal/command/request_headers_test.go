package command

import (
	"maps"
	"net/http"
	"slices"
	"testing"
)

func TestRequestHeaders(t *testing.T) {
	t.Parallel()
	got := requestHeaders([]string{
		"BUILDKITE_REQUEST_HEADER_BUILDKITE_CELL=7", "BUILDKITE_REQUEST_HEADER_BUILDKITE_TWO_WORDS=a=b",
		"BUILDKITE_REQUEST_HEADER_AUTHORIZATION=no", "BUILDKITE_AGENT_TOKEN=no", "BUILDKITE_REQUEST_HEADER_=no",
	})
	want := http.Header{"Buildkite-Cell": {"7"}, "Buildkite-Two-Words": {"a=b"}}
	if !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got %v, want %v", got, want)
	}
}
