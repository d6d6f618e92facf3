package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Requests at the same time are all sent, each with its length: the control plane has
// requests of an unknown length wait for each other.
func TestRawCallsAtTheSameTime(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		_, _ = fmt.Fprintf(w, "%s %s %d", r.Header.Get("Authorization"), body, r.ContentLength)
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := &rawCaller{address: server.Listener.Addr().String()}
	defer c.close()
	var all sync.WaitGroup
	for n := range 100 {
		all.Go(func() {
			body := strings.Repeat("x", n+1)
			got, err := c.send(ctx, request{method: http.MethodPost, path: "/", token: fmt.Sprint("T ", n), body: []byte(body)})
			if want := fmt.Sprintf("T %d %s %d", n, body, n+1); string(got) != want || err != nil {
				t.Errorf("%q, %v; want %q", got, err, want)
			}
		})
	}
	all.Wait()
}
