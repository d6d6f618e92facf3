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

// life returns a worker that takes n jobs one after another, as records.
func life(t testing.TB, worker string, jobs int) []fsm.Record {
	t.Helper()
	m, err := fsm.New(fsm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var records []fsm.Record
	take := func(ev fsm.Event) {
		effects, err := m.Step(ev)
		if err != nil {
			t.Fatal(err)
		}
		from, d := m.Last()
		at = at.Add(time.Second)
		r := fsm.Record{Time: at, Worker: worker, Event: ev}
		facts := m.Facts()
		r.Decide(from, m.State(), &d, slices.Clone(effects), &facts)
		records = append(records, r)
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

// read replays the files of a log, oldest first.
func read(t *testing.T, path string) *replay.Replay {
	t.Helper()
	var p replay.Replay
	for i := olderFiles; i >= 0; i-- {
		text, err := os.ReadFile((&transitionFile{path: path}).older(i))
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

func open(t *testing.T, path string) *TransitionLog {
	t.Helper()
	l, err := OpenTransitionLog(path, MinTransitionLogSize, "test", zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// TestTransitionLogIsReplayed has several workers write at once, to a log that is
// rotated on the way, and replays all of it.
func TestTransitionLogIsReplayed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, path)
	const workers, jobs = 4, 100
	var group sync.WaitGroup
	for i := range workers {
		records := life(t, "w"+strconv.Itoa(i), jobs)
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
	p := read(t, path)
	if want := workers * (2 + 2*jobs); p.Checked != want || p.OnFaith != 0 || p.Dropped != 0 || p.OtherTable() != "" {
		t.Errorf("%d records held, %d on faith, %d dropped, want %d", p.Checked, p.OnFaith, p.Dropped, want)
	}
}

// TestOldFilesGo shows that the log is bounded, and that what is left of it is
// replayed from its middle.
func TestOldFilesGo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, path)
	for _, r := range life(t, "w", 2000) {
		l.records <- waiting{r, 0} // and not Record: nothing is to be dropped
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
	if p := read(t, path); p.Checked == 0 || p.OnFaith != 1 || p.Dropped != 0 {
		t.Errorf("%d records held, %d on faith, %d dropped", p.Checked, p.OnFaith, p.Dropped)
	}
}

// maxRecord is how much a file may be larger than its size: a whole record.
const maxRecord = 16 << 10

// TestDroppedRecordsAreCounted loses records on the way to the file, and finds
// their number in the log in their place.
func TestDroppedRecordsAreCounted(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	l := &TransitionLog{
		logger: zaptest.NewLogger(t), records: make(chan waiting, 10), end: make(chan struct{}), ended: make(chan struct{}),
		file: &transitionFile{path: path, size: MinTransitionLogSize},
	}
	l.file.header = fsm.NewLogHeader("test")
	if err := l.file.open(); err != nil {
		t.Fatal(err)
	}
	records := life(t, "w", 10) // 22 of them
	for _, r := range records[:15] {
		l.Record(r) // five find no room
	}
	for range 4 {
		w := <-l.records
		l.write(&w)
	}
	for _, r := range records[15:18] {
		l.Record(r) // behind the six that wait
	}
	go l.run()
	l.Close()
	p := read(t, path)
	if p.Checked != 12 || p.OnFaith != 1 || p.Dropped != 5 || l.Dropped() != 5 {
		t.Errorf("%d records held, %d on faith, %d and %d dropped", p.Checked, p.OnFaith, p.Dropped, l.Dropped())
	}
}

// TestDiskOutOfOrder takes the disk away for a while: what was not written is a
// gap, and no line is half.
func TestDiskOutOfOrder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	l := &TransitionLog{logger: zaptest.NewLogger(t), file: &transitionFile{path: path, size: MinTransitionLogSize}}
	l.file.header = fsm.NewLogHeader("test")
	if err := l.file.open(); err != nil {
		t.Fatal(err)
	}
	records := life(t, "w", 10)
	write := func(records []fsm.Record) {
		for _, r := range records {
			l.write(&waiting{r, l.lost.Load()})
		}
	}
	write(records[:4])
	l.flush()
	_ = l.file.disk.Close() // the disk takes nothing more
	write(records[4:7])
	l.flush()
	write(records[7:9]) // while it is left alone
	l.retry = time.Now()
	write(records[9:])
	l.finish()
	p := read(t, path)
	if p.Checked != len(records)-5-1 || p.OnFaith != 1 || p.Dropped != 5 || l.Dropped() != 5 {
		t.Errorf("%d records held, %d on faith, %d and %d dropped", p.Checked, p.OnFaith, p.Dropped, l.Dropped())
	}
}

// TestLogGoesOn opens a log whose writer was killed in the middle of a line.
func TestLogGoesOn(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	records := life(t, "w", 1)
	text := fsm.NewLogHeader("test").Encode(nil)
	text = records[0].Encode(text, true)
	half := records[1].Encode(nil, false)
	if err := os.WriteFile(path, append(text, half[:len(half)/2]...), 0o600); err != nil {
		t.Fatal(err)
	}
	if p := read(t, path); !p.Cut || p.Checked != 1 {
		t.Errorf("of a log that was cut off, %d records held; cut: %v", p.Checked, p.Cut)
	}
	l := open(t, path)
	for _, r := range life(t, "v", 1) {
		l.Record(r)
	}
	l.Close()
	if p := read(t, path); p.Checked != 5 || p.Cut {
		t.Errorf("%d records held; cut: %v", p.Checked, p.Cut)
	}
}

func TestOpenTransitionLogRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, c := range []struct {
		path string
		size int64
		says string
	}{
		{filepath.Join(dir, "log"), MinTransitionLogSize - 1, "at least 65536"},
		{filepath.Join(dir, "none", "log"), 0, "no such file"},
		{dir, 0, "is a directory"},
	} {
		if _, err := OpenTransitionLog(c.path, c.size, "", nil); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s, %d: %v, which does not say %q", c.path, c.size, err, c.says)
		}
	}
}

// BenchmarkTransitionLog is what a worker pays for a record.
func BenchmarkTransitionLog(b *testing.B) {
	l, err := OpenTransitionLog(filepath.Join(b.TempDir(), "log"), 0, "", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	records := life(b, "w", 50)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		l.Record(records[i%len(records)])
		i++
	}
	b.ReportMetric(float64(l.Dropped())/float64(i), "dropped/op")
}
