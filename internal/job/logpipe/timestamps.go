package logpipe

import (
	"bytes"
	"fmt"
	"time"
)

// timestamps is the stage that puts the time at the start of each line, as the
// escape sequence of the Buildkite protocol, which terminals and web pages do not
// show. It is the time of the line's first byte, in milliseconds. It comes after
// redaction, so that no timestamp separates the parts of a secret.
type timestamps struct {
	next    stage
	midLine bool // the current line has its timestamp
	out     []byte
}

func (s *timestamps) write(from origin, p []byte) {
	now := time.Now().UnixMilli()
	s.out = s.out[:0]
	for line := range bytes.Lines(p) {
		if !s.midLine {
			s.out = fmt.Appendf(s.out, "\x1b_bk;t=%d\a", now)
		}
		s.out = append(s.out, line...)
		s.midLine = line[len(line)-1] != '\n'
	}
	s.next.write(from, s.out)
}
