package httpclient

import (
	"net/url"
	"strings"
	"testing"
)

func TestEndpoint(t *testing.T) {
	rows := []struct {
		raw, want, origin, err string
	}{
		{raw: "http://127.0.0.1:7420/v3", want: "http://127.0.0.1:7420/v3", origin: "http://127.0.0.1:7420"},
		{raw: " https://control.test/a%2Fb/v3// ", want: "https://control.test/a%2Fb/v3", origin: "https://control.test"},
		{raw: "https://[::1]:7420", want: "https://[::1]:7420", origin: "https://[::1]:7420"},
		{raw: "ftp://control.test", err: `must begin with http://, https:// or unix://, got scheme "ftp"`},
		{raw: "control.test:80/v3", err: "must begin with http://, https:// or unix://"},
		{raw: "127.0.0.1:7420", err: "must begin with http://, https:// or unix://"},
		{raw: "http://control.test:0/v3", err: "must have a port from 1 to 65535"},
		{raw: "http://control.test:65536", err: "must have a port from 1 to 65535"},
		{raw: "unix:///run/a.sock", want: "unix:///run/a.sock", origin: "http://2f72756e2f612e736f636b.socket.invalid"},
		{raw: "unix:///run/a.sock:/behind/v3/", want: "unix:///run/a.sock:/behind/v3", origin: "http://2f72756e2f612e736f636b.socket.invalid"},
		{raw: "unix://run/a.sock", err: "must name a socket, as in unix:///path/to.sock"},
		{raw: "unix:///run/", err: "must name a socket, as in unix:///path/to.sock"},
		{raw: "unix:///run/a.sock:v3", err: `must name a path after the socket and ":", as in unix:///path/to.sock:/v3`},
		{raw: "unix:///run/a.sock:/v3?a=b", err: "must not contain a query or fragment"},
		{raw: "http://2f72756e.socket.invalid/v3", err: "must name a socket as in unix:///path/to.sock"},
		{raw: "http://2f72756e.Socket.invalid.:80/v3", err: "must name a socket as in unix:///path/to.sock"},
		{raw: "http:///v3", err: "has no host"},
		{raw: "http://me:secret@control.test", err: "must not contain a user name or password"},
		{raw: "http://control.test/v3?a=b", err: "must not contain a query or fragment"},
		{raw: "http://control.test/v3#a", err: "must not contain a query or fragment"},
		{raw: "http://me:secret@control.test:port", err: "is not a URL"},
	}
	for _, row := range rows {
		t.Run(row.raw, func(t *testing.T) {
			got, err := ParseEndpoint(row.raw)
			if row.err != "" {
				if err == nil || err.Error() != row.err {
					t.Errorf("got %v, want %s", err, row.err)
				}
				return
			}
			if err != nil || got.String() != row.want || got.Origin() != row.origin {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

// TestSocketEndpoint shows the two forms of an endpoint on a Unix socket.
func TestSocketEndpoint(t *testing.T) {
	endpoint, err := ParseEndpoint("unix:///run/a.sock:/v3")
	if err != nil || !endpoint.IsSocket() || !endpoint.Secure() {
		t.Fatalf("got %v, %v", endpoint, err)
	}
	if want := "http://2f72756e2f612e736f636b.socket.invalid/v3"; endpoint.HTTPURL() != want {
		t.Errorf("got %s, want %s", endpoint.HTTPURL(), want)
	}
}

// FuzzEndpoint shows that a parsed endpoint has no password, query or fragment, and
// that its text can be parsed again to the same endpoint.
func FuzzEndpoint(f *testing.F) {
	for _, seed := range []string{
		"http://127.0.0.1:7420/v3", " https://[::1]:7420/a%2Fb//", "http://me:secret@h", "http://h?", "http://h#", "//h", "http:h", "https://h:0x1/", "HTTP://H",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := ParseEndpoint(raw)
		if err != nil {
			return
		}
		if got.base.User != nil || strings.ContainsAny(got.String(), "?#") {
			t.Errorf("%q was parsed as %s", raw, got)
		}
		if !strings.HasPrefix(got.String(), got.Origin()) || got.Secure() != strings.HasPrefix(got.Origin(), "https://") {
			t.Errorf("%q: origin %q of %q", raw, got.Origin(), got)
		}
		again, err := ParseEndpoint(got.String())
		if err != nil || again.String() != got.String() {
			t.Errorf("%q became %q, and that %v, %v", raw, got, again, err)
		}
		if _, err := got.URL("ping"); err != nil {
			t.Errorf("%q: no route below it: %v", raw, err)
		}
	})
}

// FuzzEndpointURL shows that no ID leaves its segment of the path.
func FuzzEndpointURL(f *testing.F) {
	for _, seed := range []string{"j1", "..", "a/b", "?x=y", "#", "%2e%2e", "\x00", "é", ""} {
		f.Add(seed)
	}
	base, err := ParseEndpoint("http://control.test/v3")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, id string) {
		address, err := base.URL("jobs", id, "accept")
		if err != nil {
			return
		}
		segments := strings.Split(address.EscapedPath(), "/")
		if len(segments) != 5 || address.RawQuery != "" || address.Fragment != "" || address.Host != "control.test" {
			t.Fatalf("%q: %s", id, address)
		}
		if back, err := url.PathUnescape(segments[3]); err != nil || back != id {
			t.Errorf("%q came back as %q, %v", id, back, err)
		}
	})
}
