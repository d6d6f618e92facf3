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

// Options select what to check.
type Options struct {
	// Bounds of the world; see DefaultBounds.
	Bounds Bounds
	// Modes of the workers to explore; all of them if empty.
	Modes []fsm.Mode
	// Advance is the machine; fsm.Advance if nil.
	Advance Advance
	// Workers is how many kinds of worker are explored at once; as many as there
	// are processors if zero.
	Workers int
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
			return nil, fmt.Errorf("verify: %s: %w", configName(chosen[i]), err)
		}
	}
	return newReport(o.Bounds, runs, time.Since(begin)), nil
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
		if err := s.checkLiveness(ctx, c.Mode); err != nil {
			return Run{}, err
		}
	}
	r := Run{
		Worker: configName(c), Mode: c.Mode, OneJob: c.RetireAfterJob,
		States: len(s.states), Transitions: s.transitions, Depth: s.depth,
		Situations: len(s.generator.situations.all), rows: s.generator.situations.rows,
	}
	for i := range s.violations {
		v := &s.violations[i]
		r.violations = append(r.violations, Violation{Worker: r.Worker, Property: v.broken, Script: s.script(v)})
	}
	r.Seconds = time.Since(begin).Seconds()
	return r, nil
}
