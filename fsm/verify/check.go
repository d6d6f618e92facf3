package verify

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Options say what to check.
type Options struct {
	// Bounds of the world; see DefaultBounds.
	Bounds Bounds
	// Modes of the workers to explore; all of them if there are none.
	Modes []fsm.Mode
	// Advance is the machine; fsm.Advance if nil.
	Advance Advance
	// Workers is how many kinds of worker are explored at once; as many as there
	// are processors if zero.
	Workers int
}

// Run is what was explored of one kind of worker.
type Run struct {
	Config fsm.Config
	// States is the number of states of the world with the machine in it,
	// Transitions that of ways between them, and Depth the most steps that it
	// takes to get to one.
	States, Transitions, Depth int
	// Situations is the number of states of the machine with its facts.
	Situations int
	Elapsed    time.Duration

	violations []Violation
	rows       map[string]int
}

// RowUse is how a row of the table was taken.
type RowUse struct {
	Row fsm.Row
	// Situations is in how many situations of a machine the row was taken.
	Situations int
	// Modes are those in which it was.
	Modes []fsm.Mode
}

// Violation is a property that does not hold.
type Violation struct {
	Config fsm.Config
	// Property says what is wrong, on one line.
	Property string
	// Script is a shortest way to it: a scenario for package replay, with the
	// answers of the machine that was explored.
	Script string
}

// Report is what a check found.
type Report struct {
	// Table is the hash of the default table's version; see fsm.TableHash.
	Table  string
	Bounds Bounds
	Runs   []Run
	// Rows are those of the default table, in its order. One that was never
	// taken in any mode is a finding, unless modes were left out.
	Rows []RowUse
	// Violations, at most one a property and kind of worker.
	Violations []Violation
	Elapsed    time.Duration
}

// Check explores, and reports what it found. An error says that it could not be
// done: bounds that are none, a context that ended, more states than there is
// room for. Violations are no error. It may be called concurrently; the report
// but for its times is the same each time.
func Check(ctx context.Context, o Options) (*Report, error) {
	begin := time.Now()
	if err := o.Bounds.Validate(); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	if o.Advance == nil {
		o.Advance = fsm.Advance
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	chosen := slices.DeleteFunc(configs(), func(c fsm.Config) bool {
		return len(o.Modes) > 0 && !slices.Contains(o.Modes, c.Mode)
	})
	runs, errs := make([]Run, len(chosen)), make([]error, len(chosen))
	var group sync.WaitGroup
	room := make(chan struct{}, o.Workers)
	for i, c := range chosen {
		room <- struct{}{}
		group.Go(func() {
			runs[i], errs[i] = run(ctx, c, &o, false)
			<-room
		})
	}
	group.Wait()
	for i, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("verify: %s: %w", name(chosen[i]), err)
		}
	}
	r := &Report{Table: fsm.TableHash(), Bounds: o.Bounds, Runs: runs, Rows: rowUses(runs), Elapsed: time.Since(begin)}
	for i := range runs {
		r.Violations = append(r.Violations, runs[i].violations...)
	}
	return r, nil
}

// run explores one kind of worker; firstOnly stops at the first violation.
func run(ctx context.Context, c fsm.Config, o *Options, firstOnly bool) (Run, error) {
	begin := time.Now()
	s := newSpace(c, o.Bounds, o.Advance)
	s.firstOnly = firstOnly
	if err := s.explore(ctx); err != nil {
		return Run{}, err
	}
	if len(s.violations) == 0 || !firstOnly {
		if err := s.live(ctx, c.Mode); err != nil {
			return Run{}, err
		}
	}
	r := Run{
		Config: c, States: len(s.states), Transitions: s.transitions, Depth: s.depth,
		Situations: len(s.around.machines.situations), rows: s.around.machines.rows,
	}
	for i := range s.violations {
		v := &s.violations[i]
		r.violations = append(r.violations, Violation{Config: c, Property: v.broken, Script: s.script(v)})
	}
	r.Elapsed = time.Since(begin)
	return r, nil
}

func rowUses(runs []Run) []RowUse {
	rows := fsm.Rows()
	uses := make([]RowUse, len(rows))
	for i := range rows {
		u := &uses[i]
		u.Row = rows[i]
		for j := range runs {
			n := runs[j].rows[rowKey(&rows[i])]
			u.Situations += n
			if n > 0 && !slices.Contains(u.Modes, runs[j].Config.Mode) {
				u.Modes = append(u.Modes, runs[j].Config.Mode)
			}
		}
	}
	return uses
}

// name is what a kind of worker is called.
func name(c fsm.Config) string {
	if c.RetireAfterJob {
		return c.Mode.String() + ", one job"
	}
	return c.Mode.String()
}
