package joblog

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// DefaultMaxSize is the default of Config.MaxSize, and what other control planes
	// of this protocol announce.
	DefaultMaxSize = 1 << 30
	// maxShare is the most of the room for all logs that one log may use, as a
	// divisor.
	maxShare = 4
	// maxRepeats is how many times its limit the chunks of a log may have that are stored,
	// and one chunk. An agent repeats a chunk whose response it has missed; a job, which has
	// its token, could send overlapping ones without end, and so displace the logs of others.
	maxRepeats = 2
)

// ErrFull is in the chain of the error of a chunk that reaches past the limit of the
// log. What is below the limit is stored.
var ErrFull = errors.New("the log of the job has reached its limit")

// MaxSize returns the most bytes of a log: Config.MaxSize, or a quarter of the room
// for all logs if that is less.
func (l *Log) MaxSize() uint64 {
	if room := l.st.MaxLogs(); room > 0 {
		return min(l.config.MaxSize, uint64(room)/maxShare)
	}
	return l.config.MaxSize
}

// appendLast stores the part of a chunk that is below the limit, with a line that
// says that the log ends there. There is one such chunk: the one that reaches past
// the limit and begins at or before it.
func (l *Log) appendLast(ctx context.Context, jobID string, c wire.Chunk, limit uint64) error {
	kept := c.Data[:limit-c.Offset]
	note := fmt.Sprintf("switchyard: the log of this job has reached its limit of %d bytes; the rest is not kept\n", limit)
	if !bytes.HasSuffix(kept, []byte("\n")) {
		note = "\n" + note
	}
	c.Data = append(bytes.Clone(kept), note...)
	return l.store(ctx, jobID, c)
}
