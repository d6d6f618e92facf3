package verify

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
)

// TestEveryPropertyHolds explores a small world; `switchyard fsm verify` explores
// the default one.
func TestEveryPropertyHolds(t *testing.T) {
	t.Parallel()
	oneGoroutine(t)
	r, err := Check(t.Context(), Options{Bounds: smallBounds()})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range r.Violations {
		t.Errorf("%s: %s\n%s", v.Setting, v.Property, v.Script)
	}
	if len(r.Runs) != len(settings()) || len(r.Rows) != len(lifecycle.Rows()) {
		t.Errorf("%d settings and %d rows in the report", len(r.Runs), len(r.Rows))
	}
}

// TestCheckIsDeterministic shows that two checks have the same report.
func TestCheckIsDeterministic(t *testing.T) {
	t.Parallel()
	oneGoroutine(t)
	var reports [2]*Report
	for i := range reports {
		r, err := Check(t.Context(), Options{Bounds: Bounds{InFlight: 1}, Workers: i + 1})
		if err != nil {
			t.Fatal(err)
		}
		reports[i] = r
	}
	if !reflect.DeepEqual(reports[0], reports[1]) {
		t.Errorf("one check found\n%+v\nand another\n%+v", reports[0], reports[1])
	}
}

// TestRecordIsWhole shows that a record loses nothing of a job that a rule reads.
func TestRecordIsWhole(t *testing.T) {
	t.Parallel()
	oneGoroutine(t)
	for _, s := range settings() {
		sp, err := exploreSetting(t.Context(), s, &Options{Bounds: Bounds{InFlight: 1}, Table: defaultTable()})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range sp.generator.machine.records {
			job := r.job()
			if recordOf(&job) != r {
				t.Errorf("%+v\nis a job\n%+v\nwhose record is\n%+v", r, job, recordOf(&job))
			}
		}
	}
}

// TestViolationHasScript shows that a table with an error is reported, with a
// shortest path as a script.
func TestViolationHasScript(t *testing.T) {
	t.Parallel()
	rows := lifecycle.Rows()
	at := slices.IndexFunc(rows, func(r lifecycle.Row) bool {
		return r.From == accepted && r.On == lifecycle.Started && r.To == running
	})
	rows[at].Do = rows[at].Do[1:] // the other tokens of the acceptance stay valid
	table := lifecycle.NewTable(rows, lifecycle.IgnoredPairs())
	r, err := Check(t.Context(), Options{Bounds: smallBounds(), Table: table, FirstOnly: true, Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r.OK || len(r.Violations) != 1 {
		t.Fatalf("%d violations", len(r.Violations))
	}
	v := r.Violations[0]
	if v.Property != "a token is valid that has ended" || v.FileName() == "" {
		t.Errorf("property %q, file %q", v.Property, v.FileName())
	}
	for _, line := range []string{"# A token is valid that has ended.\n", "Submitted retries=1\n----\n", "Started token="} {
		if !strings.Contains(v.Script, line) {
			t.Errorf("the script has no %q:\n%s", line, v.Script)
		}
	}
}

// TestBoundsAreChecked shows that wrong bounds are named.
func TestBoundsAreChecked(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]Bounds{
		"job-in-flight": {InFlight: maxInFlight + 1},
		"job-kills":     {InFlight: 1, Kills: maxKills + 1},
		"job-faults":    {InFlight: 1, Faults: maxFaults + 1},
	} {
		if _, err := Check(t.Context(), Options{Bounds: b}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%+v: %v", b, err)
		}
	}
}

// TestCheckStops shows that a check ends with its context.
func TestCheckStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Check(ctx, Options{Bounds: DefaultBounds()}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
}

// oneGoroutine skips a long test that uses few goroutines, under the race detector.
func oneGoroutine(t *testing.T) {
	t.Helper()
	if underRace {
		t.Skip("the explorations share nothing")
	}
}
