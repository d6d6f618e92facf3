package telemetry

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/replay"
)

// recordsOf returns the records of a worker that runs jobs one after another.
func recordsOf(t testing.TB, worker string, jobs int) []fsm.Record {
	t.Helper()
	m, err := fsm.New(fsm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var records []fsm.Record
	take := func(ev fsm.Event) {
		if _, err := m.Step(ev); err != nil {
			t.Fatal(err)
		}
		at = at.Add(time.Second)
		records = append(records, m.Record(at, worker, ""))
	}
	take(fsm.Event{Kind: fsm.Started})
	take(fsm.Event{Kind: fsm.ReceivedResume, Epoch: 1})
	for i := range jobs {
		id := fsm.JobID(worker + "-" + strconv.Itoa(i))
		take(fsm.Event{Kind: fsm.ReceivedJob, Epoch: 1, Job: id})
		take(fsm.Event{Kind: fsm.JobFinished, Job: id})
	}
	return records
}

// replayLog replays the files of a log, oldest first.
func replayLog(t *testing.T, path string) *replay.Replay {
	t.Helper()
	var p replay.Replay
	for i := olderFiles; i >= 0; i-- {
		text, err := os.ReadFile((&transitionFile{path: path}).olderPath(i))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Read(path, bytes.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	return &p
}

func openLog(t *testing.T, path string) *TransitionLog {
	t.Helper()
	l, err := OpenTransitionLog(path, MinTransitionLogSize, "test", zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// TestTransitionLogIsReplayed replays a log that several workers wrote to at once
// and that was rotated meanwhile.
func TestTransitionLogIsReplayed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	l := openLog(t, path)
	const workers, jobs = 4, 100
	var group sync.WaitGroup
	for i := range workers {
		records := recordsOf(t, "w"+strconv.Itoa(i), jobs)
		group.Go(func() {
			for _, r := range records {
				l.Record(r)
			}
		})
	}
	group.Wait()
	l.Close()
	if _, err := os.Stat(path + ".1"); err != nil {
		t.Errorf("the log was not rotated: %v", err)
	}
	p := replayLog(t, path)
	if want := workers * (2 + 2*jobs); p.Checked != want || p.OnFaith != 0 || p.Dropped != 0 || p.OtherTable() != "" {
		t.Errorf("%d records checked, %d on faith, %d dropped, want %d", p.Checked, p.OnFaith, p.Dropped, want)
	}
}

// TestOldFilesAreRemoved checks that the size of the log is bounded, and that a
// replay can begin in the middle of a worker's life.
func TestOldFilesAreRemoved(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	l := openLog(t, path)
	for i, r := range recordsOf(t, "w", 2000) {
		l.Record(r)
		if i%1000 == 0 {
			l.flush() // the queue has no room for all
		}
	}
	l.Close()
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) != 1+olderFiles {
		t.Errorf("files %v, %v", files, err)
	}
	for _, name := range files {
		if info, err := os.Stat(name); err != nil || info.Size() > MinTransitionLogSize+maxRecord {
			t.Errorf("%s: %v, %v", name, info.Size(), err)
		}
	}
	if p := replayLog(t, path); p.Checked == 0 || p.OnFaith != 1 || p.Dropped != 0 {
		t.Errorf("%d records checked, %d on faith, %d dropped", p.Checked, p.OnFaith, p.Dropped)
	}
}

// maxRecord is how much larger than its size a file may be: one whole record.
const maxRecord = 16 << 10

// TestDroppedRecordsAreCounted checks that a gap with the right count stands in
// the place of records that were dropped because the queue was full.
func TestDroppedRecordsAreCounted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	l := newTransitionLog(path, MinTransitionLogSize, "test", 10, zaptest.NewLogger(t))
	if err := l.file.open(); err != nil {
		t.Fatal(err)
	}
	records := recordsOf(t, "w", 10) // 22 of them
	for _, r := range records[:15] {
		l.Record(r) // the queue has no room for five
	}
	l.writeQueued()
	for _, r := range records[15:18] {
		l.Record(r)
	}
	go l.run()
	l.Close()
	p := replayLog(t, path)
	if p.Checked != 12 || p.OnFaith != 1 || p.Dropped != 5 || l.Dropped() != 5 {
		t.Errorf("%d records checked, %d on faith, %d and %d dropped", p.Checked, p.OnFaith, p.Dropped, l.Dropped())
	}
}

// TestDiskFailure checks that records that could not be written become a gap, and
// that every line is whole.
func TestDiskFailure(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	l := newTransitionLog(path, MinTransitionLogSize, "test", 0, zaptest.NewLogger(t))
	if err := l.file.open(); err != nil {
		t.Fatal(err)
	}
	records := recordsOf(t, "w", 10)
	write := func(records []fsm.Record) {
		for _, r := range records {
			l.writeBatch([]queuedRecord{{r, l.Dropped()}})
		}
	}
	write(records[:4])
	_ = l.file.disk.Close() // every write fails from now on
	write(records[4:7])
	write(records[7:9]) // before the next retry
	l.retryAt = time.Now()
	write(records[9:])
	l.finish()
	p := replayLog(t, path)
	if p.Checked != len(records)-5-1 || p.OnFaith != 1 || p.Dropped != 5 || l.Dropped() != 5 {
		t.Errorf("%d records checked, %d on faith, %d and %d dropped", p.Checked, p.OnFaith, p.Dropped, l.Dropped())
	}
}

// TestLogContinues opens a log whose writer was killed in the middle of a line.
func TestLogContinues(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	records := recordsOf(t, "w", 1)
	text := fsm.NewLogHeader("test", "", time.Time{}).Encode(nil)
	text = records[0].Encode(text, true)
	half := records[1].Encode(nil, false)
	if err := os.WriteFile(path, append(text, half[:len(half)/2]...), 0o600); err != nil {
		t.Fatal(err)
	}
	if p := replayLog(t, path); !p.Cut || p.Checked != 1 {
		t.Errorf("incomplete log: %d records checked; cut: %v", p.Checked, p.Cut)
	}
	l := openLog(t, path)
	for _, r := range recordsOf(t, "v", 1) {
		l.Record(r)
	}
	l.Close()
	if p := replayLog(t, path); p.Checked != 5 || p.Cut {
		t.Errorf("%d records checked; cut: %v", p.Checked, p.Cut)
	}
}

// TestSaveTransitions checks that saved records of several workers are replayed.
func TestSaveTransitions(t *testing.T) {
	t.Parallel()
	for _, records := range [][]fsm.Record{nil, slices.Concat(recordsOf(t, "v", 3), recordsOf(t, "w", 3))} {
		path, err := SaveTransitions("test", records)
		if err != nil {
			t.Fatal(err)
		}
		if p := replayLog(t, path); p.Checked != len(records) || p.Dropped != 0 {
			t.Errorf("%d records checked, %d dropped, want %d", p.Checked, p.Dropped, len(records))
		}
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenTransitionLogRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct {
		path string
		size int64
		want string // part of the error
	}{
		{filepath.Join(dir, "log"), MinTransitionLogSize - 1, "at least 65536"},
		{filepath.Join(dir, "none", "log"), 0, "no such file"},
		{dir, 0, "is a directory"},
	} {
		if _, err := OpenTransitionLog(c.path, c.size, "", nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %d: %v, want %q", c.path, c.size, err, c.want)
		}
	}
}

// BenchmarkTransitionLog measures the cost of a record for a worker.
func BenchmarkTransitionLog(b *testing.B) {
	l, err := OpenTransitionLog(filepath.Join(b.TempDir(), "log"), 0, "", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	records := recordsOf(b, "w", 50)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		l.Record(records[i%len(records)])
		i++
	}
	b.ReportMetric(float64(l.Dropped())/float64(i), "dropped/op")
}
