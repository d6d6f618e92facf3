package worker

import (
	"path/filepath"
	"testing"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/telemetry"
	"github.com/switchyard-ci/switchyard/transport"
)

// BenchmarkEvent measures one event: the machine alone, the driver with its
// history, and the driver with a transition log.
func BenchmarkEvent(b *testing.B) {
	log, err := telemetry.OpenTransitionLog(filepath.Join(b.TempDir(), "log"), 0, "", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	events := []fsm.Event{{Kind: fsm.ReceivedPause, Epoch: 1}, {Kind: fsm.ReceivedResume, Epoch: 1}}
	for _, c := range []struct {
		name string
		step func(b *testing.B) func(fsm.Event)
	}{
		{"machine", func(b *testing.B) func(fsm.Event) {
			b.Helper()
			m := startedMachine(b)
			return func(ev fsm.Event) {
				if _, err := m.Step(ev); err != nil {
					b.Fatal(err)
				}
			}
		}},
		{"driver", func(b *testing.B) func(fsm.Event) { b.Helper(); return driven(b, func(fsm.Record) {}) }},
		{"driver and log", func(b *testing.B) func(fsm.Event) { b.Helper(); return driven(b, log.Record) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			step := c.step(b)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				step(events[i%len(events)])
				i++
			}
		})
	}
}

// startedMachine returns a machine whose stream is up.
func startedMachine(b *testing.B) *fsm.Machine {
	b.Helper()
	m, err := fsm.New(fsm.Config{})
	if err != nil {
		b.Fatal(err)
	}
	for _, ev := range []fsm.Event{{Kind: fsm.Started}, {Kind: fsm.ReceivedResume, Epoch: 1}} {
		if _, err := m.Step(ev); err != nil {
			b.Fatal(err)
		}
	}
	return m
}

func driven(b *testing.B, observe func(fsm.Record)) func(fsm.Event) {
	b.Helper()
	w := &Worker{
		config: Config{
			Session: new(transport.Session), Observe: observe, Logger: zap.NewNop(),
		},
		machine: startedMachine(b),
	}
	return func(ev fsm.Event) {
		if err := w.step(b.Context(), input{event: ev}); err != nil {
			b.Fatal(err)
		}
	}
}
