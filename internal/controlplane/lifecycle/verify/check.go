package verify

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
)

// Check explores every setting, and returns what it found. Violations are in the
// report and are not errors. An error means that the check could not be done: wrong
// bounds, a context that ended, too many states. Check may be called concurrently;
// the report is the same each time.
func Check(ctx context.Context, o Options) (*Report, error) {
	if err := o.Bounds.Validate(); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	if o.Table == nil {
		o.Table = defaultTable()
	}
	r := &Report{Bounds: o.Bounds, Runs: []Run{}, Violations: []Violation{}, NeverTaken: []string{}}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	taken := map[string]int{}
	all := settings()
	for chosen := range slices.Chunk(all, o.Workers) {
		spaces, err := exploreAll(ctx, chosen, &o)
		if err != nil {
			return nil, err
		}
		for i, sp := range spaces {
			r.add(chosen[i], sp, taken)
		}
		if o.FirstOnly && len(r.Violations) > 0 {
			return r, nil
		}
	}
	rows := lifecycle.Rows()
	for i := range rows {
		key := rowKey(&rows[i])
		r.Rows = append(r.Rows, RowUse{Row: key, To: rows[i].To, Situations: taken[key]})
		if taken[key] == 0 {
			r.NeverTaken = append(r.NeverTaken, key)
		}
	}
	r.OK = len(r.Violations) == 0 && len(r.NeverTaken) == 0
	return r, nil
}

// exploreAll explores settings at the same time.
func exploreAll(ctx context.Context, chosen []setting, o *Options) ([]*space, error) {
	spaces, errs := make([]*space, len(chosen)), make([]error, len(chosen))
	var group sync.WaitGroup
	for i, s := range chosen {
		group.Go(func() {
			spaces[i] = newSpace(s, o)
			if err := spaces[i].check(ctx); err != nil {
				errs[i] = fmt.Errorf("verify: %s: %w", s.name, err)
			}
		})
	}
	group.Wait()
	return spaces, errors.Join(errs...)
}

// check explores the space, and then looks for violations of liveness, unless one
// violation is enough and there is one.
func (s *space) check(ctx context.Context) error {
	if err := s.explore(ctx); err != nil {
		return err
	}
	if s.firstOnly && len(s.violations) > 0 {
		return nil
	}
	return s.checkLiveness(ctx)
}
