package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/web/session"
)

// However often somebody signs in with a token, there are streams left for those with other
// tokens.
func TestStreamsOfOneToken(t *testing.T) {
	t.Parallel()
	var s streams
	enter := func(tokenID string, sessionNumber int) (func(), error) {
		r := httptest.NewRequest(http.MethodGet, "/live", http.NoBody)
		r.AddCookie(&http.Cookie{Name: session.CookieName, Value: fmt.Sprint(sessionNumber)})
		return s.enter(r.WithContext(access.WithPrincipal(r.Context(), access.Principal{TokenID: tokenID})))
	}
	var leaves []func()
	for i := range 2 * maxStreams {
		if leave, err := enter("a", i); err == nil {
			leaves = append(leaves, leave)
		}
	}
	if len(leaves) != maxTokenStreams {
		t.Errorf("one token has %d streams, want %d", len(leaves), maxTokenStreams)
	}
	leave, err := enter("b", 0)
	if err != nil {
		t.Fatalf("another token has none: %v", err)
	}
	leave()
	for _, leave := range leaves {
		leave()
	}
	if s.total != 0 || len(s.by) != 0 {
		t.Errorf("%d streams, %d names are left", s.total, len(s.by))
	}
}
