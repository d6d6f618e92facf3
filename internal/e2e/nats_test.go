package e2e_test

import (
	"path/filepath"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/switchyard-ci/switchyard/internal/scripttest"
)

// startNATS starts a NATS server in this process.
func startNATS(ts *testscript.TestScript, _ *scripttest.Processes, args []string) {
	nats, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, NoLog: true, NoSigs: true,
		StoreDir: filepath.Join(ts.Getenv("WORK"), "nats"),
	})
	ts.Check(err)
	nats.Start()
	middleOf(ts).nats = nats
	if !nats.ReadyForConnections(scripttest.Patience) {
		ts.Fatalf("the NATS server does not start")
	}
	ts.Setenv(args[0], nats.ClientURL())
}
