package verify

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

// Options select what to check.
type Options struct {
	// Bounds of the world; see DefaultBounds.
	Bounds Bounds
	// Modes of the workers to explore; all of them if empty.
	Modes []fsm.Mode
	// Advance is the machine; fsm.Advance if nil.
	Advance Advance
	// Jobs is the table of jobs; that of package lifecycle if nil. NextWorker is the
	// machine of a worker's record; workerstate.Next if nil.
	Jobs       *lifecycle.Table
	NextWorker NextWorker
	// Workers is how many kinds of worker are explored at once; as many as there
	// are processors if zero.
	Workers int

	limit int // of states
}

// Check explores every kind of worker, and returns what it found. Violations are
// in the report and are not errors. An error means that the check could not be
// done: wrong bounds, a context that ended, too many states. Check may be called
// concurrently; except for its times, the report is the same each time.
func Check(ctx context.Context, o Options) (*Report, error) {
	begin := time.Now()
	if err := o.Bounds.Validate(); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	o = o.withDefaults()
	chosen := slices.DeleteFunc(o.Bounds.subjects(), func(s subject) bool {
		return len(o.Modes) > 0 && !slices.Contains(o.Modes, s.config.Mode)
	})
	runs := make([]Run, len(chosen))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.Workers)
	for i, s := range chosen {
		group.Go(func() (err error) {
			runs[i], err = run(ctx, s, &o, false)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	return newReport(o.Bounds, runs, time.Since(begin)), nil
}

// withDefaults returns the options with every field set.
func (o Options) withDefaults() Options {
	if o.Advance == nil {
		o.Advance = fsm.Advance
	}
	if o.Jobs == nil {
		o.Jobs = lifecycle.NewTable(lifecycle.Rows(), lifecycle.IgnoredPairs())
	}
	if o.NextWorker == nil {
		o.NextWorker = workerstate.Next
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	return o
}

// run explores one kind of worker; firstOnly stops at the first violation.
func run(ctx context.Context, of subject, o *Options, firstOnly bool) (Run, error) {
	begin := time.Now()
	c := of.config
	s, err := exploreSubject(ctx, of, o, firstOnly)
	if err != nil {
		return Run{}, err
	}
	if len(s.Violations()) == 0 || !firstOnly {
		if err := s.checkLiveness(ctx, of); err != nil {
			return Run{}, err
		}
	}
	r := Run{
		Worker: of.name(), Mode: c.Mode, OneJob: c.RetireAfterJob,
		States: s.States(), Transitions: s.Transitions(), Depth: s.Depth(),
		Situations: len(s.generator.situations.all), rows: s.generator.situations.rows,
	}
	for _, v := range s.Violations() {
		r.violations = append(r.violations, Violation{Worker: r.Worker, Property: v.Broken, Script: s.script(v.Broken, s.Path(v))})
	}
	r.Seconds = time.Since(begin).Seconds()
	return r, nil
}
