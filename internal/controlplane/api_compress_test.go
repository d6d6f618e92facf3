package controlplane_test

import (
	"net/http"
	"strings"
	"testing"
)

// A large response is compressed for a client that accepts it, and a small one is not.
func TestLargeResponsesAreCompressed(t *testing.T) {
	b := start(t)
	for _, row := range []struct{ argument, want string }{{"x", ""}, {strings.Repeat("x", 10_000), "gzip"}} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.URL()+"/switchyard.v1.JobService/SubmitJob",
			strings.NewReader(`{"command":["true","`+row.argument+`"]}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept-Encoding", "gzip") // so that the client does not remove it
		req.Header.Set("Authorization", "Bearer "+b.AdminToken())
		res, err := b.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := res.Body.Close(); err != nil {
			t.Error(err)
		}
		if got := res.Header.Get("Content-Encoding"); res.StatusCode != http.StatusOK || got != row.want {
			t.Errorf("an argument of %d bytes: %s, encoding %q, want %q", len(row.argument), res.Status, got, row.want)
		}
	}
}
