package logstate

import (
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/statetable"
)

// EventKind is what happened to a log.
type EventKind uint8

// The events.
const (
	// ChunkArrived: a chunk was stored, or is about to be.
	ChunkArrived EventKind = iota
	// DeleteRequested: somebody deletes the log.
	DeleteRequested
	// Restored: the log was restored from a backup.
	Restored
	eventKindCount // not an event
)

// Event is one thing that happened to a log.
type Event struct {
	Kind EventKind
	// Deletion is of DeleteRequested.
	Deletion Deletion
	// BackupAt is of Restored.
	BackupAt time.Time
}

// Refusal is why a request is not carried out; empty is none.
type Refusal = statetable.Refusal

// The refusals.
const (
	// IsComplete: the chunk is one more than the agent counted.
	IsComplete Refusal = "its log is complete: the result has arrived, and no chunk of the log is missing"
	// IsDeleted: the chunk would bring back what was deleted.
	IsDeleted Refusal = "its log was deleted"
	// JobRuns: the job may still run.
	JobRuns Refusal = "only the log of a job that has ended can be deleted"
)

// row is what happens to a log on an event: it is changed, refused or left as it is.
type row struct {
	refuse Refusal
	change func(*Log, Event)
}

var (
	countLateChunk = func(l *Log, _ Event) { l.LateChunks++ }
	recordDeletion = func(l *Log, ev Event) { l.Deletion = &ev.Deletion }
	recordBackup   = func(l *Log, ev Event) { l.BackupAt = ev.BackupAt }
)

// table has a row for every state and event.
var table = map[State][eventKindCount]row{
	Growing: {
		ChunkArrived:    {},
		DeleteRequested: {refuse: JobRuns},
		Restored:        {change: recordBackup},
	},
	Awaited: {
		ChunkArrived:    {},
		DeleteRequested: {change: recordDeletion},
		Restored:        {change: recordBackup},
	},
	Short: {
		ChunkArrived:    {change: countLateChunk},
		DeleteRequested: {change: recordDeletion},
		Restored:        {change: recordBackup},
	},
	Complete: {
		ChunkArrived:    {refuse: IsComplete},
		DeleteRequested: {change: recordDeletion},
		Restored:        {},
	},
	Deleted: {
		ChunkArrived:    {refuse: IsDeleted},
		DeleteRequested: {},
		Restored:        {},
	},
}

// Next returns the log of a job after an event, and whether the event has changed it
// or was refused.
func Next(job *lifecycle.Job, l Log, ev Event) (next Log, changed bool, refused Refusal) {
	r := table[StateOf(job, l)][ev.Kind]
	if r.change == nil {
		return l, false, r.refuse
	}
	next = l
	r.change(&next, ev)
	return next, true, ""
}
