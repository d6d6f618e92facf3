package telemetry

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// transitionLines encodes the lines of a transition log. The first record of each
// worker after a header or a gap is whole, so that a replay can begin there. The
// methods append to b. The first line must be a header.
type transitionLines struct {
	whole map[string]bool // the workers that have a whole record
}

func (l *transitionLines) header(b []byte, version string) []byte {
	l.whole = map[string]bool{}
	return fsm.NewLogHeader(version, process(), time.Now()).Encode(b)
}

// process names this process among those that have written a log, one after another.
var process = sync.OnceValue(func() string { //nolint:gochecknoglobals // the same for every log
	return fmt.Sprintf("%d-%d", os.Getpid(), time.Now().UnixMilli())
})

func (l *transitionLines) record(b []byte, r *fsm.Record) []byte {
	b = r.Encode(b, !l.whole[r.Worker] || r.Folded > 0)
	l.whole[r.Worker] = true
	return b
}

func (l *transitionLines) gap(b []byte, g fsm.LogGap) []byte {
	clear(l.whole)
	return g.Encode(b)
}

// SaveTransitions writes records to a new temporary file, in the form of a
// transition log, and returns its path. The version is that of the program.
func SaveTransitions(version string, records []fsm.Record) (path string, err error) {
	var lines transitionLines
	text := lines.header(nil, version)
	for i := range records {
		text = lines.record(text, &records[i])
	}
	return saveTemporary("transitions", text)
}

// saveTemporary writes a text to a new temporary file, whose name and errors have what it
// is, and returns the path. After an error there is no file.
func saveTemporary(what string, text []byte) (path string, err error) {
	file, err := os.CreateTemp("", "switchyard-"+what+"-*.jsonl")
	if err != nil {
		return "", fmt.Errorf("saving %s: %w", what, err)
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return "", fmt.Errorf("saving %s: %w", what, errors.Join(err, os.Remove(file.Name())))
	}
	return file.Name(), nil
}
