package main

import (
	"context"
	"fmt"
	"time"

	"github.com/switchyard-ci/switchyard/internal/client"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// maxTail is the most lines of --tail.
	maxTail = 1_000_000
	// A part of the log is searched for the last lines: at first tailPart bytes, or
	// bytesPerLine for each line if that is more, then tailGrowth times as much.
	tailPart     = 64 << 10
	bytesPerLine = 128
	tailGrowth   = 8
)

// tailOffset returns the offset in the present log of a job at which its last lines
// begin.
func tailOffset(ctx context.Context, caller *client.Client, id string, lines int) (uint64, error) {
	job, err := caller.Job(ctx, id)
	if err != nil {
		return 0, fmt.Errorf("finding the end of the log: %w", err)
	}
	size := job.GetLogSize()
	for part := uint64(max(tailPart, lines*bytesPerLine)); ; part *= tailGrowth {
		begin := size - min(part, size)
		ends := &lineEnds{most: lines + 1, end: begin}
		if _, err := caller.Follow(ctx, id, client.FollowOptions{LogOffset: begin, NoWait: true}, ends); err != nil {
			return 0, fmt.Errorf("finding the end of the log: %w", err)
		}
		if offset, found := ends.last(lines); found {
			return offset, nil
		}
		if begin == 0 {
			return 0, nil
		}
	}
}

// lineEnds records where the last lines of a log end. It implements client.Follower.
type lineEnds struct {
	most int      // offsets to keep
	ends []uint64 // the offsets after the last line feeds
	end  uint64   // of the log
}

// Job does nothing.
func (*lineEnds) Job(*switchyardv1.Job) error { return nil }

// Log records the line feeds of a chunk.
func (l *lineEnds) Log(chunk *switchyardv1.LogChunk) error {
	for i, b := range chunk.GetData() {
		if b == '\n' {
			l.ends = append(l.ends, chunk.GetOffset()+uint64(i)+1)
		}
	}
	l.end = chunk.GetOffset() + uint64(len(chunk.GetData()))
	if over := len(l.ends) - 2*l.most; over > 0 { // seldom, since it moves the rest
		l.ends = append(l.ends[:0], l.ends[over:]...)
	}
	return nil
}

// Interrupted does nothing.
func (*lineEnds) Interrupted(error, time.Time) {}

// Reconnected does nothing.
func (*lineEnds) Reconnected() {}

// last returns the offset at which the last lines begin. It reports false if they begin
// before what was recorded. Text after the last line feed is a line.
func (l *lineEnds) last(lines int) (offset uint64, found bool) {
	if lines == 0 {
		return l.end, true
	}
	if n := len(l.ends); n > 0 && l.ends[n-1] == l.end {
		lines++ // the last line feed ends a line, and begins none
	}
	if lines > len(l.ends) {
		return 0, false
	}
	return l.ends[len(l.ends)-lines], true
}
