package httpclient

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestSameOrigin(t *testing.T) {
	rows := []struct {
		from, to string
		want     bool
	}{
		{"http://a.test/x", "http://a.test/y", true},
		{"http://a.test/x", "http://A.test:80/y", true},
		{"https://a.test/x", "https://a.test:443/y", true},
		{"http://a.test/x", "https://a.test/x", true},
		{"https://a.test/x", "http://a.test/x", false},
		{"http://a.test:8080/x", "https://a.test/x", false},
		{"http://a.test:8080/x", "http://a.test:8081/x", false},
		{"http://a.test/x", "http://b.a.test/x", false},
		{"http://a.test/x", "http://b.test/x", false},
	}
	for _, row := range rows {
		from, errFrom := url.Parse(row.from)
		to, errTo := url.Parse(row.to)
		if errFrom != nil || errTo != nil {
			t.Fatal(errFrom, errTo)
		}
		if got := sameOrigin(from, to); got != row.want {
			t.Errorf("%s to %s: %t", row.from, row.to, got)
		}
	}
}

// FuzzRedirect shows that a redirect sends a token to no other host, and never over an
// unencrypted connection if the first one was encrypted.
func FuzzRedirect(f *testing.F) {
	for _, seed := range [][2]string{
		{"https://a.test/x", "/y"},
		{"https://a.test", "http://a.test"},
		{"http://a.test", "https://A.test:443"},
		{"http://a.test:80", "http://a.test.:80"},
		{"http://[::1]", "http://[0:0::1]"},
		{"https://a.test", "//b.test"},
		{"https://a.test", "https://a.test@b.test"},
		{"http://a.test", "http://a.test:"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, first, location string) {
		base, err := ParseEndpoint(first)
		if err != nil {
			return
		}
		to, err := base.base.Parse(location)
		if err != nil || to.Host == "" {
			return
		}
		via := &http.Request{Method: http.MethodGet, URL: base.base, Header: http.Header{headerAuthorization: {"Token secret"}}}
		next := &http.Request{Method: http.MethodGet, URL: to, Header: via.Header.Clone()}
		if err := checkRedirect(next, []*http.Request{via}); err != nil {
			t.Fatal(err)
		}
		if next.Header.Get(headerAuthorization) == "" {
			return
		}
		if !strings.EqualFold(to.Hostname(), base.base.Hostname()) || base.Secure() && to.Scheme != schemeHTTPS {
			t.Errorf("the token for %s goes to %s", base, to)
		}
	})
}
