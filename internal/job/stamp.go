package job

import (
	"bytes"
	"fmt"
	"io"
	"time"
)

// stamper puts the time at the start of each line, as an escape sequence in the
// field's form, which terminals and pages do not show. The time is that of the
// line's first byte, to the millisecond.
type stamper struct {
	to     io.Writer
	inLine bool // the last line has its stamp
	out    []byte
}

// Write passes p on with the stamps of the lines that begin in it.
func (s *stamper) Write(p []byte) (int, error) {
	now := time.Now().UnixMilli()
	s.out = s.out[:0]
	for line := range bytes.Lines(p) {
		if !s.inLine {
			s.out = fmt.Appendf(s.out, "\x1b_bk;t=%d\a", now)
		}
		s.out = append(s.out, line...)
		s.inLine = line[len(line)-1] != '\n'
	}
	if _, err := s.to.Write(s.out); err != nil {
		return 0, fmt.Errorf("writing lines with their time: %w", err)
	}
	return len(p), nil
}
