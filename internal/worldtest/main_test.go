package worldtest

import (
	"flag"
	"testing"

	"github.com/nats-io/nats-server/v2/server/ats"
	"go.uber.org/goleak"
)

// TestMain keeps the clock goroutine of nats-server's file store running outside of
// every bubble. The first server would start it, and it waits on a channel that no
// bubble knows, so that virtual time would stand still.
func TestMain(m *testing.M) {
	// Fewer worlds than rapid's 100 in an ordinary run; -rapid.checks still counts.
	if err := flag.Set("rapid.checks", defaultWorlds); err != nil {
		panic(err)
	}
	ats.Register()
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/nats-io/nats-server/v2/server/ats.Register.func1"))
}
