package telemetry

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"github.com/switchyard-ci/switchyard/fsm"
)

// transitionLines encodes the lines of a transition log. The first record of each
// worker after a header or a gap is whole, so that a replay can begin there. A
// line is valid until the next one is made. The zero value is ready.
type transitionLines struct {
	whole map[string]bool // the workers that have a whole record
	line  []byte
}

func (l *transitionLines) header(version string) []byte {
	l.whole = map[string]bool{}
	l.line = fsm.NewLogHeader(version).Encode(l.line[:0])
	return l.line
}

func (l *transitionLines) record(r *fsm.Record) []byte {
	l.line = r.Encode(l.line[:0], !l.whole[r.Worker])
	l.whole[r.Worker] = true
	return l.line
}

func (l *transitionLines) gap(g fsm.LogGap) []byte {
	clear(l.whole)
	l.line = g.Encode(l.line[:0])
	return l.line
}

// SaveTransitions writes records to a new temporary file, in the form of a
// transition log, and returns its path. The version is that of the program.
func SaveTransitions(version string, records []fsm.Record) (path string, err error) {
	file, err := os.CreateTemp("", "switchyard-transitions-*.jsonl")
	if err != nil {
		return "", fmt.Errorf("saving transitions: %w", err)
	}
	out := bufio.NewWriter(file) // keeps the first error, for Flush
	var lines transitionLines
	_, _ = out.Write(lines.header(version))
	for i := range records {
		_, _ = out.Write(lines.record(&records[i]))
	}
	if err := errors.Join(out.Flush(), file.Close()); err != nil {
		return "", fmt.Errorf("saving transitions: %w", err)
	}
	return file.Name(), nil
}
