package simulation

import (
	"math"
	"slices"
	"testing"
	"time"
)

const (
	workers, replicas = 100_000, 10
	seed              = 12
)

func newFleet() *Fleet {
	f := NewFleet(Measured(), workers, replicas, seed)
	f.Run(time.Minute) // the replicas know each other
	f.Reset()
	return f
}

// mostOf returns how many independent requests a tenth of a second has at most, if it has
// mean of them on average.
func mostOf(mean float64) int { return int(math.Ceil(mean + 6*math.Sqrt(mean))) }

func (r Result) report(t *testing.T, f *Fleet) {
	t.Helper()
	var half, most, last time.Duration
	if n := len(r.Back); n > 0 {
		half, most, last = r.Back[n/2], r.Back[n*99/100], r.Back[n-1]
	}
	streams := f.Streams()
	t.Logf("lost %d, moved %d, opened %d: half after %v, 99%% after %v, the last after %v; busiest tenth of a second of a replica: %d; "+
		"longest wait %v; streams %d to %d", r.Lost, r.Moved, len(r.Back), half.Round(time.Millisecond), most.Round(time.Millisecond),
		last.Round(time.Millisecond), r.Busiest, r.LongestWait.Round(time.Millisecond), slices.Min(streams), slices.Max(streams))
}

// What is lost is back within the second in which agents reconnect, and what the others
// need for it.
func TestLostReplicas(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		kill []int
		back time.Duration // of the last one
		wait time.Duration
	}{
		{"one", []int{3}, 1500 * time.Millisecond, 150 * time.Millisecond},
		{"half of them", []int{0, 1, 2, 3, 4}, 3500 * time.Millisecond, 2500 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := newFleet()
			f.Kill(row.kill...)
			f.Run(30 * time.Second)
			r := f.Result()
			r.report(t, f)
			if share := workers / replicas * len(row.kill); r.Lost < share*9/10 || len(r.Back) != r.Lost {
				t.Errorf("%d streams lost, %d opened, want all of about %d", r.Lost, len(r.Back), share)
			}
			if last := r.Back[len(r.Back)-1]; last > row.back {
				t.Errorf("the last stream is back after %v, want %v", last, row.back)
			}
			if r.LongestWait > row.wait {
				t.Errorf("a request waited %v, want %v at most", r.LongestWait, row.wait)
			}
			// Each worker polls at once, and opens a stream within a second.
			left := float64(replicas - len(row.kill))
			if most := mostOf(float64(r.Lost) * (1 + slice.Seconds()) / left); r.Busiest > most {
				t.Errorf("%d requests at a replica in a tenth of a second, want %d at most", r.Busiest, most)
			}
		})
	}
}

// All replicas are away for a while, and come back together.
func TestEveryReplicaRestarts(t *testing.T) {
	t.Parallel()
	f := newFleet()
	all := make([]int, replicas)
	for n := range all {
		all[n] = n
	}
	f.Kill(all...)
	f.Run(10 * time.Second)
	f.Reset()
	for _, n := range all {
		f.Start(n)
	}
	f.Run(time.Minute)
	r := f.Result()
	r.report(t, f)
	if len(r.Back) != workers {
		t.Fatalf("%d streams are open, want %d", len(r.Back), workers)
	}
	if last := r.Back[workers-1]; last > 6*time.Second {
		t.Errorf("the last stream is back after %v", last)
	}
	if r.LongestWait > 2*time.Second {
		t.Errorf("a request waited %v", r.LongestWait)
	}
}

// A replica that comes back has its share after some minutes, and no herd comes to it.
func TestReplicaComesBack(t *testing.T) {
	t.Parallel()
	f := newFleet()
	f.Kill(3)
	f.Run(time.Minute)
	f.Start(3)
	f.Reset()
	f.Run(30 * time.Minute)
	r := f.Result()
	r.report(t, f)
	share := workers / replicas
	if got := f.Streams()[3]; got < share/2 {
		t.Errorf("the replica that came back has %d streams, want half of its share of %d", got, share)
	}
	if r.Busiest > share/10 {
		t.Errorf("%d requests at a replica in a tenth of a second", r.Busiest)
	}
}

func TestTheSameSeedIsTheSameFleet(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) []time.Duration {
		f := NewFleet(Measured(), 1000, 3, seed)
		f.Kill(1)
		f.Run(10 * time.Second)
		return f.Result().Back
	}
	if !slices.Equal(run(1), run(1)) {
		t.Error("the same seed has another result")
	}
	if slices.Equal(run(1), run(2)) {
		t.Error("another seed has the same result")
	}
}

func TestThroughput(t *testing.T) {
	t.Parallel()
	costs := Measured()
	for _, row := range []struct {
		name            string
		queues, streams int
		skew            float64
		least, most     float64
	}{
		{"one stream", 1000, 1, 0, 600, 600},
		{"a thousand equal queues", 1000, 10, 0, 4500, 6000},
		{"as many queues as streams", 10, 10, 0, 600, 6000},
		{"queues of which the first has a seventh of all jobs", 1000, 10, 1, 2500, 4500},
		{"one queue", 1, 10, 0, 600, 600},
	} {
		if got := Throughput(costs, row.queues, row.streams, row.skew); got < row.least || got > row.most {
			t.Errorf("%s: %.0f jobs a second, want %.0f to %.0f", row.name, got, row.least, row.most)
		} else {
			t.Logf("%s: %.0f jobs a second", row.name, got)
		}
	}
}

// What every replica does for every worker does not become less with more replicas.
func TestWhatBoundsIt(t *testing.T) {
	t.Parallel()
	share := func(workers, replicas int) float64 { return NewFleet(Measured(), workers, replicas, seed).Share() }
	a, b := share(workers, replicas), share(workers, 4*replicas)
	t.Logf("an idle replica needs %.1f %% of its cores; with four times as many replicas %.1f %%", 100*a, 100*b)
	if b < a/3 {
		t.Errorf("with four times as many replicas: %.3f, want more than a third of %.3f", b, a)
	}
}
