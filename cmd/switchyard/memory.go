package main

import (
	"context"
	"os"
	"runtime/debug"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
)

// startGC is the value of GOGC during the start of a control plane. A start with many
// kept jobs allocates much in a short time, and would take twice the memory that it
// needs. The environment's GOGC comes first.
const startGC = 50

// startControlPlane starts a control plane, and returns the memory that only the start
// needed to the system.
func startControlPlane(ctx context.Context, config controlplane.Config) (*controlplane.Server, error) {
	if os.Getenv("GOGC") == "" {
		previous := debug.SetGCPercent(startGC)
		defer debug.FreeOSMemory()
		defer debug.SetGCPercent(previous)
	}
	return controlplane.Start(ctx, config)
}
