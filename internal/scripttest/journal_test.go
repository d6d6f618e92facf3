package scripttest

import (
	"regexp"
	"strings"
	"testing"
)

// A line of one stream may be read before one of the other stream that was written
// earlier: both are found, in either order, and each only once.
func TestStreamsHaveNoOrder(t *testing.T) {
	t.Parallel()
	begun, runs := regexp.MustCompile("^begun$"), regexp.MustCompile(`job (\S+) runs`)
	for name, order := range map[string][]*regexp.Regexp{"as read": {begun, runs}, "as written": {runs, begun}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := newJournal()
			j.read(strings.NewReader("begun\n"), stdout)
			j.read(strings.NewReader("job 7 runs\n"), stderr)
			j.end()
			var at Position
			for _, pattern := range order {
				_, next, ok := j.Await(t.Context(), at, pattern)
				if !ok {
					t.Fatalf("no line after %v matches %s", at, pattern)
				}
				at = next
			}
			for _, pattern := range order {
				if groups, _, ok := j.Await(t.Context(), at, pattern); ok {
					t.Errorf("%q was found twice", groups)
				}
			}
		})
	}
}

// The lines of one stream are in order: one that was skipped is not found any more.
func TestOneStreamHasAnOrder(t *testing.T) {
	t.Parallel()
	j := newJournal()
	j.read(strings.NewReader("one\ntwo\n"), stdout)
	j.end()
	_, at, ok := j.Await(t.Context(), Position{}, regexp.MustCompile("two"))
	if _, _, again := j.Await(t.Context(), at, regexp.MustCompile("one")); !ok || again {
		t.Errorf("found two: %t, and then one: %t", ok, again)
	}
}
