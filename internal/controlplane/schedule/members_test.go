package schedule

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// The workers that have a set of tags are the same ones, whether they are looked at one by
// one or 64 at a time, after any of them have come and gone.
func TestWorkersOfASet(t *testing.T) {
	t.Parallel()
	tags := []string{"a=1", "a=2", "b=1", "b=2", "c=1"}
	rapid.Check(t, func(t *rapid.T) {
		some := func(from []string) []string {
			return rapid.SliceOfNDistinct(rapid.SampledFrom(from), 1, 4, rapid.ID[string]).Draw(t, "tags")
		}
		c := newCrowded()
		c.x.fewWorkers = rapid.SampledFrom([]int{0, 20, fewWorkers}).Draw(t, "few")
		sets := [][]string{{"a=1", "b=1"}, {"a=*"}, {"c=1"}}
		for i := range 5 {
			set, _ := wire.RequiredTags(some(append([]string{"a=*", "c=*"}, tags...)))
			sets = append(sets, set)
			c.job(fmt.Sprint(i), set...)
		}
		id := func() string { return fmt.Sprint("w", rapid.IntRange(0, 2*wordBits+10).Draw(t, "worker")) }
		for i := range 2*wordBits + 10 {
			c.worker(fmt.Sprint("w", i), some(tags)...)
		}
		for range 40 {
			name := id()
			w := c.x.workers[name]
			if w == nil {
				c.worker(name, some(tags)...)
				continue
			}
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				c.x.ForgetWorker(name)
			case 1:
				c.revision++
				next := w.record
				next.Revision, next.State = c.revision, rapid.SampledFrom(workerstate.States()).Draw(t, "state")
				c.x.ApplyWorker(next, c.now)
			default:
				c.x.Attach(name, nullStream{})
			}
		}
		q := c.x.queues["q"]
		for _, set := range sets {
			g := c.x.group("q", set)
			var connected, idle []string
			for _, w := range q.workers {
				if wire.HasTags(w.record.Tags, set) && w.record.State.Connected() {
					connected = append(connected, w.record.ID)
				}
			}
			for _, w := range q.idle.Items() {
				if wire.HasTags(w.record.Tags, set) {
					idle = append(idle, w.record.ID)
				}
			}
			if best := c.x.bestIdle(g); best == nil && len(idle) > 0 || best != nil && (len(idle) == 0 || best.record.ID != idle[0]) {
				t.Fatalf("with %q the best idle worker is %+v, want the first of %q", set, best, idle)
			}
			for what, want := range map[string][]string{"connected": connected, "idle": idle} {
				of := map[string]members{"connected": q.connected, "idle": q.idleMembers}[what]
				var got []string
				g.among(of, func(i int, found uint64) bool {
					q.numbered(i, found, func(w *workerEntry) { got = append(got, w.record.ID) })
					return true
				})
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Fatalf("%s with %q: %q, want %q", what, set, got, want)
				}
			}
		}
	})
}
