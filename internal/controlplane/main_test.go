package controlplane_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// nats-server leaks a goroutine for each batch that was on its way when the disk was
	// full and the server was stopped.
	goleak.VerifyTestMain(m)
}
