package schedule

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestKeptRecords(t *testing.T) {
	t.Parallel()
	now := time.Now()
	small, large := []string{"true"}, []string{strings.Repeat("x", maxKeptRecord)}
	job := func(revision uint64, command []string, state wire.JobState) record.Job {
		j := record.Job{ID: "j", Queue: "q", Command: command, Revision: revision, Job: lifecycle.Job{State: state}}
		if state.InHand() {
			j.WorkerID = "a"
		}
		return j
	}
	fill := func(x *Index) {
		for i := range 2 * maxKept / keptRecord {
			other := job(1, small, wire.StateQueued)
			other.ID = fmt.Sprint(i)
			x.ApplyJob(other, now, time.Time{})
		}
	}
	for name, row := range map[string]struct {
		do   func(x *Index)
		want uint64 // the revision of the kept record, 0 for none
	}{
		"a queued job": {func(x *Index) { x.ApplyJob(job(1, small, wire.StateQueued), now, time.Time{}) }, 1},
		"a large one":  {func(x *Index) { x.ApplyJob(job(1, large, wire.StateQueued), now, time.Time{}) }, 0},
		"one with a long history": {func(x *Index) {
			j := job(1, small, wire.StateQueued)
			j.History = j.History.With(lifecycle.Entry{Reason: large[0]})
			x.ApplyJob(j, now, time.Time{})
		}, 0},
		"one too many":  {func(x *Index) { fill(x); x.ApplyJob(job(1, small, wire.StateQueued), now, time.Time{}) }, 0},
		"a running one": {func(x *Index) { fill(x); x.ApplyJob(job(1, large, wire.StateRunning), now, time.Time{}) }, 1},
		"one that was changed": {func(x *Index) {
			x.ApplyJob(job(1, small, wire.StateQueued), now, time.Time{})
			x.ApplyJob(job(2, small, wire.StateQueued), now, time.Time{})
		}, 2},
		"one that was requeued": {func(x *Index) {
			x.ApplyJob(job(1, large, wire.StateRunning), now, time.Time{})
			x.ApplyJob(job(2, large, wire.StateQueued), now, time.Time{})
		}, 0},
		"one that has ended": {func(x *Index) {
			x.ApplyJob(job(1, small, wire.StateQueued), now, time.Time{})
			x.ApplyJob(job(2, small, wire.StateCanceled), now, now)
		}, 0},
		"one that is gone": {func(x *Index) {
			x.ApplyJob(job(1, small, wire.StateQueued), now, time.Time{})
			x.ForgetJob("j")
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := New()
			row.do(x)
			if got, ok := x.Record("j"); got.Revision != row.want || ok != (row.want != 0) {
				t.Errorf("revision %d is kept (%t), want %d", got.Revision, ok, row.want)
			}
			kept := 0
			for _, j := range x.jobs {
				kept += j.kept
			}
			if kept != x.kept || kept > maxKept {
				t.Errorf("the index counts %d bytes, its jobs %d, of at most %d", x.kept, kept, maxKept)
			}
		})
	}
}

// TestEachTextIsCounted fills each field of a record that is a text, or has some, and checks
// that its size is counted. The tags are those of the group, which has them anyway.
func TestEachTextIsCounted(t *testing.T) {
	t.Parallel()
	long := reflect.ValueOf(strings.Repeat("x", maxKeptRecord))
	fields := reflect.TypeFor[record.Job]()
	for i := range fields.NumField() {
		var job record.Job
		if fields.Field(i).Name == "Tags" {
			continue
		}
		switch field := reflect.ValueOf(&job).Elem().Field(i); field.Kind() { //nolint:exhaustive // others have a fixed size
		case reflect.String:
			field.Set(long)
		case reflect.Slice:
			field.Set(reflect.Append(field, long))
		case reflect.Map:
			field.Set(reflect.MakeMap(field.Type()))
			field.SetMapIndex(long, long)
		default:
			continue
		}
		if size := keptSize(&job); size <= maxKeptRecord {
			t.Errorf("%s: counted as %d bytes", fields.Field(i).Name, size)
		}
	}
}
