package telemetry

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zaptest"
)

// TestRecordsAreGathered checks when records are written: those of a short while together,
// and at once if half of the queue is used or somebody waits for them.
func TestRecordsAreGathered(t *testing.T) {
	const queue = 8
	for _, tt := range []struct {
		name    string
		records int
		then    func(l *TransitionLog)
		written int // records, after what then does
	}{
		{"one, before its time", 1, func(*TransitionLog) { time.Sleep(gatherTime - 1) }, 0},
		{"some, at their time", queue/2 - 1, func(*TransitionLog) { time.Sleep(gatherTime) }, queue/2 - 1},
		{"half of the queue", queue / 2, func(*TransitionLog) {}, queue / 2},
		{"somebody waits", 2, func(l *TransitionLog) { l.flush() }, 2},
		{"the end", 2, func(l *TransitionLog) { l.Close() }, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			synctest.Test(t, func(t *testing.T) {
				l := newTransitionLog(path, MinTransitionLogSize, "test", queue, zaptest.NewLogger(t))
				if err := l.file.open(); err != nil {
					t.Fatal(err)
				}
				go l.run()
				defer l.Close()
				for _, r := range recordsOf(t, "w", queue)[:tt.records] {
					l.Record(r)
				}
				tt.then(l)
				synctest.Wait()
				text, err := os.ReadFile(path)
				if lines := bytes.Count(text, []byte("\n")) - 1; err != nil || lines != tt.written {
					t.Errorf("%d records are written, %v; want %d", lines, err, tt.written)
				}
			})
		})
	}
}
