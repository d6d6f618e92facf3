package joblog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/logstate"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// someJobs are jobs whose state the test sets.
type someJobs struct {
	mu      sync.Mutex
	states  map[string]wire.JobState
	reach   map[string]logstate.Reach
	trimmed map[string]uint64 // by job, the size of the log that was deleted
	// unrecorded is how many calls of LogTrimmed fail because the store is full.
	unrecorded int
}

func (j *someJobs) ReadJob(_ context.Context, id string) (record.Job, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	state, ok := j.states[id]
	if !ok {
		return record.Job{}, record.ErrNotFound
	}
	return record.Job{ID: id, Revision: 1, Job: lifecycle.Job{State: state}}, nil
}

func (j *someJobs) LogTrimmed(_ context.Context, id string, size uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch _, ok := j.states[id]; {
	case !ok:
		return record.ErrNotFound
	case j.unrecorded > 0:
		j.unrecorded--
		return store.ErrFull
	}
	j.trimmed[id] = size
	return nil
}

func (*someJobs) WaitingReason(record.Job) string        { return "" }
func (*someJobs) Subscribe(string, *Subscription) func() { return func() {} }

func (j *someJobs) AddLog(id string, more logstate.Reach) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.reach[id] = j.reach[id].With(more)
}

func (j *someJobs) LogReach(id string) logstate.Reach {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.reach[id]
}

// openLog returns a log on an embedded store of the least size.
func openLog(t *testing.T, maxSize uint64) (*Log, *store.Store, *someJobs) {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{DataDir: t.TempDir(), MaxStore: store.MinMaxStore})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	jobs := &someJobs{states: map[string]wire.JobState{}, reach: map[string]logstate.Reach{}, trimmed: map[string]uint64{}}
	return New(st, jobs, Config{Grace: time.Second, MaxSize: maxSize, Now: time.Now, Logger: zap.NewNop()}), st, jobs
}

// text returns the stored log of a job.
func text(t *testing.T, l *Log, id string) string {
	t.Helper()
	var all bytes.Buffer
	for event, err := range l.Follow(t.Context(), id, Options{NoWait: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Chunk != nil {
			all.Write(event.Chunk.Data)
		}
	}
	return all.String()
}

// A log is kept up to its limit, where a line says that the rest is not; every chunk
// beyond it is refused, in whatever order chunks arrive.
func TestLimitOfALog(t *testing.T) {
	const limit = 10
	const note = "switchyard: the log of this job has reached its limit of 10 bytes; the rest is not kept\n"
	type piece struct {
		offset  int
		refused bool
	}
	letters := "abcdefghijklmnopqrstuvwxyz"
	for name, row := range map[string]struct {
		log    string
		size   int // of each piece
		pieces []piece
		want   string
		cut    bool
	}{
		"below":         {letters, 4, []piece{{0, false}, {4, false}}, "abcdefgh", false},
		"exactly":       {letters, 5, []piece{{0, false}, {5, false}}, "abcdefghij", false},
		"just past":     {letters, 5, []piece{{0, false}, {5, false}, {10, true}}, "abcdefghij\n" + note, true},
		"across":        {letters, 4, []piece{{0, false}, {4, false}, {8, true}, {12, true}}, "abcdefghij\n" + note, true},
		"out of order":  {letters, 4, []piece{{12, true}, {8, true}, {4, false}, {0, false}}, "abcdefghij\n" + note, true},
		"repeated":      {letters, 4, []piece{{0, false}, {4, false}, {8, true}, {8, true}}, "abcdefghij\n" + note, true},
		"one large":     {letters, 26, []piece{{0, true}}, "abcdefghij\n" + note, true},
		"far beyond":    {letters, 4, []piece{{0, false}, {4, false}, {16, true}}, "abcdefgh", false},
		"end of a line": {"abcdefghi\nabc", 12, []piece{{0, true}}, "abcdefghi\n" + note, true},
	} {
		t.Run(name, func(t *testing.T) {
			l, _, jobs := openLog(t, limit)
			jobs.states["j"] = wire.StateFinished
			for _, p := range row.pieces {
				data := []byte(row.log[p.offset:][:row.size])
				c := wire.Chunk{Sequence: uint64(p.offset/row.size) + 1, Offset: uint64(p.offset), Data: data} //nolint:gosec // small
				if err := l.Append(t.Context(), "j", c); errors.Is(err, ErrFull) != p.refused || err != nil && !p.refused {
					t.Fatalf("piece at %d: %v", p.offset, err)
				}
			}
			if got := text(t, l, "j"); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
			if size, cut := l.Size(t.Context(), "j"); cut != row.cut {
				t.Errorf("a log of %d bytes is cut: %v", size, cut)
			}
		})
	}
}

// Chunks that overlap do not pass the limit of a log, wherever they claim to be; also not
// where the replica has started again since. A chunk that was dropped as a copy of another one does
// not count.
func TestLimitOfOverlappingChunks(t *testing.T) {
	const limit = MaxChunkSize
	for name, of := range map[string]func(n uint64) wire.Chunk{
		"at one offset":  func(n uint64) wire.Chunk { return wire.Chunk{Sequence: n} },
		"at one end":     func(n uint64) wire.Chunk { return wire.Chunk{Sequence: n + 1, Offset: limit / 2} },
		"of one number":  func(n uint64) wire.Chunk { return wire.Chunk{Sequence: 1, Offset: n} },
		"one of another": func(n uint64) wire.Chunk { return wire.Chunk{Sequence: n, Offset: limit / 4 * (n % 2)} },
	} {
		t.Run(name, func(t *testing.T) {
			l, st, jobs := openLog(t, limit)
			jobs.states["j"] = wire.StateRunning
			send := func(n uint64) error {
				c := of(n)
				c.Data = bytes.Repeat([]byte("x"), limit/2)
				return l.Append(t.Context(), "j", c)
			}
			for n := uint64(1); n <= 20; n++ {
				if err := send(n); err != nil && !errors.Is(err, ErrFull) {
					t.Fatal(err)
				}
				if n == 10 && name != "of one number" { // of chunk 1 the store is not asked
					jobs.reach = map[string]logstate.Reach{}
				}
			}
			used, _, err := st.LogUsage(t.Context())
			if most := int64(5 * limit); err != nil || used > most {
				t.Errorf("the log takes %d bytes, want at most %d: %v", used, most, err)
			}
		})
	}
	l, st, jobs := openLog(t, limit)
	jobs.states["j"] = wire.StateRunning
	for range 20 {
		if err := l.Append(t.Context(), "j", wire.Chunk{Sequence: 1, Data: bytes.Repeat([]byte("x"), limit)}); err != nil {
			t.Fatalf("a repeated chunk: %v", err)
		}
	}
	if used, _, err := st.LogUsage(t.Context()); err != nil || used > limit+1000 {
		t.Errorf("20 copies of a chunk take %d bytes: %v", used, err)
	}
}

// When logs have little room left, those of jobs that ended, or are gone, are deleted,
// the oldest first, and the jobs record it; the log of a running job is whole. A store
// that is full when the first of them is to be recorded keeps no log.
func TestOldestFinishedLogsAreDeleted(t *testing.T) {
	l, st, jobs := openLog(t, DefaultMaxSize)
	const chunkSize = 200_000
	if got, want := l.MaxSize(), uint64(st.MaxLogs())/maxShare; got != want { //nolint:gosec // positive
		t.Errorf("the limit of one log is %d, want %d", got, want)
	}
	chunk := func(id string, n uint64) {
		t.Helper()
		c := wire.Chunk{Sequence: n + 1, Offset: n * chunkSize, Data: bytes.Repeat([]byte{'x'}, chunkSize)}
		if err := l.Append(t.Context(), id, c); err != nil {
			t.Fatal(err)
		}
	}
	jobs.unrecorded = 1
	jobs.states["running"] = wire.StateRunning // sorts between the others, and began first
	chunk("running", 0)
	written := 1
	for n := range 150 { // almost three times the room
		id := fmt.Sprintf("job-%03d", n)
		if n%10 != 3 { // the record of every tenth has expired
			jobs.states[id] = wire.StateFinished
		}
		if n == 100 {
			chunk("running", 1)
		}
		chunk(id, 0)
		written++
	}
	ids, err := st.LogIDs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	used, most, err := st.LogUsage(t.Context())
	if err != nil || used > most/percent*trimAt || used < most/2 {
		t.Errorf("logs use %d of %d bytes, %v", used, most, err)
	}
	if last := ids[len(ids)-1]; last != "running" {
		t.Fatalf("the log of the running job is gone: %v", ids)
	}
	if got := len(text(t, l, "running")); got != 2*chunkSize {
		t.Errorf("the log of the running job has %d bytes, want %d", got, 2*chunkSize)
	}
	for i, id := range ids[:len(ids)-1] { // without a gap up to the newest
		if want := fmt.Sprintf("job-%03d", 150-(len(ids)-1)+i); id != want {
			t.Errorf("log %d is of %s, want %s", i, id, want)
		}
	}
	for id := range jobs.states {
		size, trimmed := jobs.trimmed[id]
		if kept := slices.Contains(ids, id); kept == trimmed || trimmed && size != chunkSize {
			t.Errorf("the log of %s is kept: %v; it is recorded as deleted, with %d bytes: %v", id, kept, size, trimmed)
		}
	}
}

// Where running jobs fill the room for logs, the store discards their oldest chunks,
// and nothing is refused.
func TestLogsOfRunningJobsFillTheRoom(t *testing.T) {
	l, st, jobs := openLog(t, DefaultMaxSize)
	for job := range 8 {
		id := fmt.Sprint("job-", job)
		jobs.states[id] = wire.StateRunning
		for n := range uint64(5) {
			c := wire.Chunk{Sequence: n + 1, Offset: n * MaxChunkSize, Data: bytes.Repeat([]byte{'x'}, MaxChunkSize)}
			if err := l.Append(t.Context(), id, c); err != nil {
				t.Fatalf("%s, chunk %d: %v", id, n, err)
			}
		}
	}
	used, most, err := st.LogUsage(t.Context())
	if err != nil || used > most {
		t.Errorf("logs use %d of %d bytes, %v", used, most, err)
	}
	if got := text(t, l, "job-7"); strings.Count(got, "x") != 5*MaxChunkSize {
		t.Errorf("the newest log has %d bytes", len(got))
	}
}
