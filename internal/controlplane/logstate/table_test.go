package logstate

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// What becomes of a log, in every state on every event.
func TestTable(t *testing.T) {
	at := time.Unix(1, 0)
	deletion, earlier := Deletion{By: "ann", At: at, Bytes: 9}, Deletion{By: "bob"}
	arrived, deleted, restored := Event{Kind: ChunkArrived}, Event{Kind: DeleteRequested, Deletion: deletion}, Event{Kind: Restored, BackupAt: at}
	job := func(state wire.JobState, failed int) lifecycle.Job {
		return lifecycle.Job{State: state, Result: lifecycle.Result{ChunksFailed: failed}}
	}
	late := job(wire.StateLost, 0)
	late.Late, late.LateResult = true, &lifecycle.Result{ChunksFailed: 1}
	lateWhole := late
	lateWhole.LateResult = &lifecycle.Result{}
	for name, row := range map[string]struct {
		job    lifecycle.Job
		log    Log
		state  State
		events map[Event]Log // absent: the log stays as it is
		refuse map[Event]Refusal
	}{
		"a waiting job": {
			job(wire.StateQueued, 0),
			Log{},
			Growing,
			map[Event]Log{restored: {BackupAt: at}},
			map[Event]Refusal{deleted: JobRuns},
		},
		"a running job": {
			job(wire.StateRunning, 0),
			Log{},
			Growing,
			map[Event]Log{restored: {BackupAt: at}},
			map[Event]Refusal{deleted: JobRuns},
		},
		"a lost job": {
			job(wire.StateLost, 0),
			Log{},
			Awaited,
			map[Event]Log{deleted: {Deletion: &deletion}, restored: {BackupAt: at}},
			nil,
		},
		"a finished job": {
			job(wire.StateFinished, 0),
			Log{},
			Complete,
			map[Event]Log{deleted: {Deletion: &deletion}},
			map[Event]Refusal{arrived: IsComplete},
		},
		"a canceled job": {
			job(wire.StateCanceled, 0),
			Log{},
			Complete,
			map[Event]Log{deleted: {Deletion: &deletion}},
			map[Event]Refusal{arrived: IsComplete},
		},
		"two chunks are missing": {
			job(wire.StateFinished, 2),
			Log{},
			Short,
			map[Event]Log{arrived: {LateChunks: 1}, deleted: {Deletion: &deletion}, restored: {BackupAt: at}},
			nil,
		},
		"one is missing still": {
			job(wire.StateCanceled, 2),
			Log{LateChunks: 1},
			Short,
			map[Event]Log{
				arrived: {LateChunks: 2}, deleted: {LateChunks: 1, Deletion: &deletion}, restored: {LateChunks: 1, BackupAt: at},
			},
			nil,
		},
		"all have arrived": {
			job(wire.StateFinished, 2),
			Log{LateChunks: 2},
			Complete,
			map[Event]Log{deleted: {LateChunks: 2, Deletion: &deletion}},
			map[Event]Refusal{arrived: IsComplete},
		},
		"a late result beside a retry, and a chunk is missing": {
			late,
			Log{},
			Short,
			map[Event]Log{arrived: {LateChunks: 1}, deleted: {Deletion: &deletion}, restored: {BackupAt: at}},
			nil,
		},
		"a late result beside a retry": {
			lateWhole,
			Log{},
			Complete,
			map[Event]Log{deleted: {Deletion: &deletion}},
			map[Event]Refusal{arrived: IsComplete},
		},
		"deleted": {
			job(wire.StateFinished, 2),
			Log{Deletion: &earlier},
			Deleted,
			nil,
			map[Event]Refusal{arrived: IsDeleted},
		},
		"deleted, of a lost job": {
			job(wire.StateLost, 0),
			Log{Deletion: &earlier},
			Deleted,
			nil,
			map[Event]Refusal{arrived: IsDeleted},
		},
	} {
		if got := StateOf(&row.job, row.log); got != row.state {
			t.Errorf("%s: the log is %s, want %s", name, got, row.state)
		}
		for _, ev := range []Event{arrived, deleted, restored} {
			want, changes := row.events[ev]
			if !changes {
				want = row.log
			}
			next, changed, refused := Next(&row.job, row.log, ev)
			if diff := cmp.Diff(want, next); diff != "" || changed != changes || refused != row.refuse[ev] {
				t.Errorf("%s, event %d: changed %v, refused %q (-want +got):\n%s", name, ev.Kind, changed, refused, diff)
			}
		}
	}
}
