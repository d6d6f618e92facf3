package verify

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

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
	all := settings()
	spaces := make([]*space, len(all))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.Workers)
	for i, s := range all {
		group.Go(func() (err error) {
			spaces[i], err = check(ctx, s, &o)
			if err == nil && o.FirstOnly && len(spaces[i].Violations()) > 0 {
				return errFound
			}
			return err
		})
	}
	if err := group.Wait(); err != nil && !errors.Is(err, errFound) {
		return nil, fmt.Errorf("verify: %w", err)
	}
	taken := map[string]int{}
	for i, sp := range spaces {
		if sp != nil {
			r.add(all[i], sp, taken)
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

// errFound ends the explorations when one violation is enough.
var errFound = errors.New("a violation was found")

// check explores a setting, and then looks for violations of liveness, unless one
// violation is enough and there is one.
func check(ctx context.Context, s setting, o *Options) (*space, error) {
	sp, err := exploreSetting(ctx, s, o)
	if err == nil && (!o.FirstOnly || len(sp.Violations()) == 0) {
		err = sp.checkLiveness(ctx)
	}
	return sp, err
}
