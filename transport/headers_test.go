package transport

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

func TestOptions(t *testing.T) {
	rows := []struct {
		name    string
		options Options
		err     string
	}{
		{"nothing", Options{}, "transport options: endpoint missing"},
		{"no URL", Options{Endpoints: []string{"::"}}, "transport options: endpoint must begin with http://, https:// or unix://"},
		{"a header without the prefix", Options{Endpoints: []string{"http://a"}, Headers: http.Header{"X-A": {"1"}}}, `transport options: Headers: "X-A" must be`},
		{"a value with a line break", Options{Endpoints: []string{"http://a"}, Headers: http.Header{"Buildkite-A": {"1\r\nX: 2"}}}, `transport options: Headers: "Buildkite-A" must be`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if _, err := New(row.options); err == nil || !strings.HasPrefix(err.Error(), row.err) {
				t.Errorf("got %v, want %s", err, row.err)
			}
		})
	}
}

// FuzzRequestHeaders shows that a header that the control plane sets is sent as it was
// set, and that it adds no other header.
func FuzzRequestHeaders(f *testing.F) {
	for _, seed := range [][2]string{
		{"Buildkite-A", "1"}, {"Buildkite-", ""}, {"buildkite-a", "1"}, {"Buildkite-A", "1\r\nX-Evil: 2"}, {"Buildkite-A: x", "1"}, {"Buildkite-É", "é"}, {"Buildkite-A", "\x7f"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		asked := requestHeaders(map[string]string{name: value})
		if len(asked) == 0 {
			return
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://control.test/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header = asked
		request.Header.Set("User-Agent", "x")
		var wire bytes.Buffer
		if err := request.Write(&wire); err != nil {
			t.Fatalf("%q: %q cannot be sent: %v", name, value, err)
		}
		read, err := http.ReadRequest(bufio.NewReader(&wire))
		if err != nil {
			t.Fatalf("%q: %q cannot be read: %v", name, value, err)
		}
		if got := read.Header.Get(name); got != strings.Trim(value, " \t") || len(read.Header) != 2 {
			t.Errorf("%q: %q arrived as %q", name, value, read.Header)
		}
	})
}
