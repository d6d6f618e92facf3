package fsm

import (
	"context"
	"testing"

	looplab "github.com/looplab/fsm"
)

// round returns the events of a typical cycle: a job from the stream, a loss, a
// ping, and the return of the stream. After them the machine is in the state in
// which it began.
func round(epoch, ping Epoch, job JobID) [8]Event {
	return [8]Event{
		{Kind: ReceivedResume, Epoch: epoch},
		{Kind: ReceivedJob, Epoch: epoch, Job: job},
		{Kind: JobFinished, Job: job},
		{Kind: StreamLost, Epoch: epoch},
		{Kind: PollDue},
		{Kind: ReceivedResume, Epoch: epoch + 1},
		{Kind: AnsweredIdle, Epoch: ping},
		{Kind: ReceivedPause, Epoch: epoch + 1},
	}
}

// BenchmarkStep measures one event of a Machine. BenchmarkLooplab is the part of
// it that looplab needs.
func BenchmarkStep(b *testing.B) {
	m, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := m.Step(Event{Kind: Started}); err != nil {
		b.Fatal(err)
	}
	jobs := [2 * SeenSize]JobID{}
	for i := range jobs {
		jobs[i] = JobID(string(rune('a'+i%26)) + string(rune('a'+i/26)))
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); {
		i := n / 8
		events := round(Epoch(2*i+1), Epoch(i+1), jobs[i%len(jobs)])
		if _, err := m.Step(events[n%8]); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

// BenchmarkNext measures the choice of a row.
func BenchmarkNext(b *testing.B) {
	facts := Facts{Stream: StreamUp, Connection: 1}
	b.ReportAllocs()
	for b.Loop() {
		defaultTable.Next(StreamHealthy, &facts, Event{Kind: ReceivedJob, Epoch: 1, Job: "J1"})
	}
}

// BenchmarkLooplab measures the same cycle on a looplab machine alone, without
// facts, guards and effects.
func BenchmarkLooplab(b *testing.B) {
	names := [8]string{
		"ReceivedResume [otherwise]", "ReceivedJob [not paused, not seen]", "JobFinished [stream up]",
		"StreamLost [polling allowed]", "PollDue [polling allowed]", "ReceivedResume [otherwise]",
		"AnsweredIdle [otherwise]", "ReceivedPause",
	}
	m := looplab.NewFSM(StreamHealthy.String(), transitions(table), nil)
	ctx := context.Background()
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		if err := m.Event(ctx, names[n%8]); err != nil {
			if _, same := err.(looplab.NoTransitionError); !same { //nolint:errorlint // looplab returns it bare
				b.Fatal(err)
			}
		}
	}
}
