package demo_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/replay"
	"github.com/switchyard-ci/switchyard/internal/demo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestDemoKeepsItsPromises runs the whole demo and checks its results.
func TestDemoKeepsItsPromises(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo takes up to 30 seconds")
	}
	var out strings.Builder
	log := filepath.Join(t.TempDir(), "log")
	if err := demo.Run(t.Context(), &out, log, zaptest.NewLogger(t)); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{
		`jobs run\s+3`, `jobs lost\s+0`, `jobs run twice\s+0`,
		`StreamHealthy -> Running`, `Running -> FallingBack`, `FallingBack -> PollingBusy`,
		`The first job: \S+\n+TIME +FOR +EVENT`, `submitted +queued`, `assigned +assigned +demo`, `finished +finished +demo`,
		`PollingBusy -> Reclaiming`, `Reclaiming -> StreamHealthy`, `StreamHealthy -> Stopped`,
	} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("the demo did not print %q:\n%s", want, out.String())
		}
	}
	checkReplay(t, log)
}

// checkReplay replays the demo's log with the table, and then with tables in which
// one row that was taken leads to another state: each must diverge where the row
// was first taken.
func checkReplay(t *testing.T, log string) {
	t.Helper()
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	var p replay.Replay
	if err := p.Read("log", bytes.NewReader(text)); err != nil {
		t.Fatalf("the log of the demo diverges: %v", err)
	}
	if lines := bytes.Count(text, []byte("\n")); p.Checked != lines-1 || p.OnFaith != 0 || p.Dropped != 0 {
		t.Errorf("of %d lines after the header %d checked, %d on faith, %d dropped", lines-1, p.Checked, p.OnFaith, p.Dropped)
	}
	changed := 0
	for i := range fsm.Rows() {
		rows := fsm.Rows()
		row := &rows[i]
		first := slices.IndexFunc(p.Records, func(r fsm.Record) bool {
			return r.Ignored == "" && r.From == row.From && r.Event.Kind == row.On && r.Guard == row.When.Name
		})
		if first < 0 {
			continue
		}
		changed++
		row.To = fsm.Reclaiming
		if p.Records[first].To == fsm.Reclaiming {
			row.To = fsm.StreamHealthy
		}
		altered := replay.Replay{Table: fsm.NewTable(rows, fsm.IgnoredPairs())}
		err := altered.Read("log", bytes.NewReader(text))
		d, ok := errors.AsType[*replay.DivergenceError](err)
		if !ok || d.Line != first+2 || d.OtherTable != fsm.TableHash() { // counted from 1, after the header
			t.Errorf("with %v / %s -> %v, want a divergence in line %d: %v", row.From, row.Name(), row.To, first+2, err)
		}
	}
	if changed < 10 {
		t.Errorf("the demo took only %d rows", changed)
	}
}

// TestDemoEndsWithItsContext cancels the demo as Ctrl-C does.
func TestDemoEndsWithItsContext(t *testing.T) {
	canceled := errors.New("canceled")
	ctx, cancel := context.WithCancelCause(t.Context())
	out := writerFunc(func(text []byte) (int, error) {
		if strings.Contains(string(text), "StreamHealthy -> Running") {
			cancel(canceled)
		}
		return len(text), nil
	})
	if err := demo.Run(ctx, out, "", zaptest.NewLogger(t)); !errors.Is(err, canceled) {
		t.Errorf("Run: %v, want %v", err, canceled)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
