package dispatch

import (
	"slices"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/joblog"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestACancelThroughAnotherReplica cancels a job at the replica that its agent does not
// ask: at the one that it asks, the job is to be canceled.
func TestACancelThroughAnotherReplica(t *testing.T) {
	one, two := twoPlants(t)
	a := one.register("a")
	g := one.run(a, record.Job{})
	id := g.JobID
	until(t, "the job is known there", func() bool { job, known := two.records.job(id); return known && job.State == wire.StateRunning })
	two.cancel(id, wire.StateCanceling)
	until(t, "the cancellation is known here", func() bool {
		state, err := one.JobState(t.Context(), id)
		must(t, err)
		return state == wire.StateCanceling
	})
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "-1", SignalReason: "cancel"}))
	until(t, "its end is known there", func() bool { return two.job(id).State == wire.StateCanceled })
}

// TestAFollowThroughAnotherReplica follows a job at the replica that does not receive its
// log.
func TestAFollowThroughAnotherReplica(t *testing.T) {
	one, two := twoPlants(t)
	a := one.register("a")
	g := one.run(a, record.Job{})
	id := g.JobID
	until(t, "the job is known there", func() bool { _, known := two.records.job(id); return known })
	wait, end := two.follows(id, joblog.Options{})
	wait("running")
	for i, chunk := range []string{"one", "two"} {
		one.logs(g, i+1, 3*i, chunk)
		wait("0+" + string("03"[i]) + " " + chunk)
	}
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	if lines := end(); !slices.Contains(lines, "finished") {
		t.Errorf("got %q", lines)
	}
}

// BenchmarkAcrossReplicas measures what one replica does until the other one shows it, and
// reports quantiles.
func BenchmarkAcrossReplicas(b *testing.B) {
	for _, row := range []struct {
		name string
		run  func(b *testing.B, one, two *plant, a string, feed *Feed) time.Duration
	}{
		{"pause", func(b *testing.B, one, two *plant, a string, feed *Feed) time.Duration {
			begun := time.Now()
			_, err := two.Pause(b.Context(), a, "why", workerstate.ByOperator)
			must(b, err)
			one.wants(feed, wire.Instruction{Kind: wire.Pause, Reason: "why"})
			took := time.Since(begun)
			_, err = two.Resume(b.Context(), a, workerstate.ByOperator)
			must(b, err)
			one.wants(feed, wire.Instruction{Kind: wire.Resume})
			return took
		}},
		{"submit", func(b *testing.B, one, two *plant, a string, feed *Feed) time.Duration {
			begun := time.Now()
			id := two.submit(record.Job{})
			one.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
			took := time.Since(begun)
			g := one.accept(a, id)
			one.startJob(g)
			must(b, g.Finish(b.Context(), wire.FinishRequest{ExitStatus: "0"}))
			return took
		}},
		{"supersede", func(b *testing.B, one, two *plant, a string, feed *Feed) time.Duration {
			begun := time.Now()
			other := two.attached(a)
			_, err := next(b.Context(), feed)
			wantErr(b, err, ErrSuperseded)
			took := time.Since(begun)
			other.Close()
			return took
		}},
	} {
		b.Run(row.name, func(b *testing.B) {
			one, two := twoPlants(b)
			a := one.register("a")
			feed := one.attached(a)
			until(b, "the worker is known there", func() bool { _, known := two.records.worker(a); return known })
			var took []time.Duration
			for b.Loop() {
				if feed.ended() != nil {
					b.StopTimer()
					feed = one.attached(a)
					b.StartTimer()
				}
				took = append(took, row.run(b, one, two, a, feed))
			}
			quantiles(b, took)
		})
	}
}
