package refusal_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/internal/controlplane/refusal"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// A client that keeps asking with a wrong token fills no log: one line for each
// interval, which counts the others and contains no token.
func TestRefusalsAreLoggedSparingly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.DebugLevel)
		l := refusal.New(zap.New(core))
		id := "01890a5d-ac96-774b-bcce-b302099a8057"
		secret, _ := token.Job.New(id)
		for range 100 {
			l.Refused(refusal.Refusal{Method: "PUT", Route: "/v3/jobs/{id}/start", Presented: secret})
		}
		time.Sleep(refusal.Interval)
		l.Refused(refusal.Refusal{Method: "GET", Route: "/v3/ping", Address: "10.0.0.1"})
		time.Sleep(refusal.Interval)
		l.Refused(refusal.Refusal{Method: "GET", Route: "/v3/ping", Presented: "x", Reason: "token \"ci\" has expired"})
		entries := logs.All()
		if len(entries) != 3 {
			t.Fatalf("%d lines, want 3", len(entries))
		}
		first, second := entries[0].ContextMap(), entries[1].ContextMap()
		if first["method"] != "PUT" || first["route"] != "/v3/jobs/{id}/start" || first["job_id"] != id || second["suppressed"] != int64(99) || second["reason"] != "no token" || second["address"] != "10.0.0.1" || second["total"] != int64(101) {
			t.Errorf("got %v, then %v", first, second)
		}
		if third := entries[2].ContextMap(); third["reason"] != `token "ci" has expired` {
			t.Errorf("got %v, want the reason of the caller", third)
		}
		for _, value := range first {
			if text, ok := value.(string); ok && strings.Contains(text, secret[len(secret)-20:]) {
				t.Errorf("the line contains the token: %v", first)
			}
		}
	})
}
