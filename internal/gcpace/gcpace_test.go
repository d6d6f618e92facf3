package gcpace

import (
	"runtime"
	"runtime/debug"
	"testing"
	"testing/synctest"
	"time"
)

// TestPercent checks the percentage after a time in which a process allocates at one rate,
// and then at another one.
func TestPercent(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	for _, tt := range []struct {
		name          string
		used          uint64
		before, after uint64 // bytes allocated in an interval
		looks         int    // after the change
		want          int
	}{
		{"little memory", 63 * mb, 0, 0, 100, 100},
		{"idle", 300 * mb, 6 * mb, 6 * mb, 0, 25},
		{"nothing is allocated", 300 * mb, 0, 0, 0, 25},
		{"some work", 300 * mb, 15 * mb, 15 * mb, 0, 50},
		{"much work", 300 * mb, 100 * mb, 100 * mb, 0, 100},
		{"work begins", 300 * mb, 6 * mb, 100 * mb, 1, 100},
		{"work ends", 300 * mb, 100 * mb, 6 * mb, looks - 1, 100},
		{"work ended a while ago", 300 * mb, 100 * mb, 6 * mb, looks, 25},
		{"a little more work", 300 * mb, 15 * mb, 17 * mb, 1, 50},
		{"almost no work", 300 * mb, 9 * mb, 6 * mb, looks, 25},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := pacer{percent: 100}
			allocated := uint64(1 << 40) // before the first look
			for range looks + 1 {
				p.next(allocated, tt.used)
				allocated += tt.before
			}
			allocated -= tt.before
			for range tt.looks {
				allocated += tt.after
				p.next(allocated, tt.used)
			}
			if p.percent != tt.want {
				t.Errorf("the percentage is %d, want %d", p.percent, tt.want)
			}
		})
	}
}

// TestRun sets the collector of this process.
func TestRun(t *testing.T) {
	current := func() int {
		percent := debug.SetGCPercent(most)
		debug.SetGCPercent(percent)
		return percent
	}
	for name, want := range map[string]int{"": least, "100": most} {
		t.Run("GOGC="+name, func(t *testing.T) {
			t.Setenv("GOGC", name)
			before := current()
			synctest.Test(t, func(t *testing.T) {
				used := make([]byte, small)
				runtime.GC()
				done := make(chan struct{})
				go Run(done)
				time.Sleep((looks + 1) * interval)
				if got := current(); got != want {
					t.Errorf("the percentage is %d, want %d", got, want)
				}
				close(done)
				runtime.KeepAlive(used)
			})
			if got := current(); got != before {
				t.Errorf("the percentage is %d afterwards, want %d", got, before)
			}
		})
	}
}
