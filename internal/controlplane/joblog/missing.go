package joblog

import (
	"github.com/switchyard-ci/switchyard/internal/controlplane/logstate"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Cause is why bytes of a log are missing.
type Cause uint8

// The causes.
const (
	// NoCause: nothing is missing.
	NoCause Cause = iota
	// Undelivered: the agent has counted them as chunks that it could not deliver.
	Undelivered
	// NotArrived: they may be on their way.
	NotArrived
	// NotKept: they had arrived, and were kept for as long as logs are, or until the store
	// had no room.
	NotKept
	// NotInBackup: they came after the backup was made from which the log was restored.
	NotInBackup
)

// maxPiece bounds the data of one event, in bytes. A chunk of 512 KiB as one message would
// be in memory twice for each reader who does not read: as it was stored and as it is sent.
const maxPiece = 64 << 10

// reportChunk reports a chunk in pieces, with the cause if bytes before it are missing.
func (f *follower) reportChunk(c store.Chunk, missing uint64) error {
	event := Event{Missing: missing}
	if missing > 0 {
		event.Cause = f.cause(c.Sequence - f.sequence - 1)
	}
	f.sequence = c.Sequence
	for {
		piece := c
		piece.Data = c.Data[:min(len(c.Data), maxPiece)]
		event.Chunk = &piece
		if err := f.report(event); err != nil {
			return err
		}
		c.Data, c.Offset = c.Data[len(piece.Data):], piece.End()
		if len(c.Data) == 0 {
			return nil
		}
		event = Event{}
	}
}

// reportEnd reports that the end of the log is missing, if it is: the log of a job that
// has ended is as long as its record says.
func (f *follower) reportEnd() error {
	size, next := f.job.LogSize, f.assembly.next
	if !f.job.State.Final() || next >= size {
		return nil
	}
	end := store.Chunk{Chunk: wire.Chunk{Offset: size}}
	return f.report(Event{Chunk: &end, Missing: size - next, Cause: NotKept})
}

// cause returns why a number of chunks is missing.
func (f *follower) cause(chunks uint64) Cause {
	undelivered := logstate.Missing(&f.job.Job, f.job.Log)
	switch state := logstate.StateOf(&f.job.Job, f.job.Log); {
	case !f.job.Log.BackupAt.IsZero():
		return NotInBackup
	case state == logstate.Growing, state == logstate.Awaited:
		return NotArrived
	case undelivered > 0 && chunks <= uint64(undelivered):
		return Undelivered
	}
	return NotKept
}
