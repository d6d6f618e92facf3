package explore

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// glasses is a puzzle: two glasses of sizes, which are filled, emptied and poured
// into each other. In one environment glasses are only emptied.
type glasses struct {
	sizes  [2]int
	broken int  // an amount that no glass may hold
	equal  bool // glasses of one size have no names
	next   []Successor[[2]int, string]
}

const emptying, pouring Environments = 1, 2

func (g *glasses) Successors(s [2]int) []Successor[[2]int, string] {
	g.next = g.next[:0]
	for i, j := range [2]int{1, 0} {
		name := string(rune('a' + i))
		full, empty, poured := s, s, s
		full[i], empty[i] = g.sizes[i], 0
		amount := min(s[i], g.sizes[j]-s[j])
		poured[i], poured[j] = s[i]-amount, s[j]+amount
		g.add("fill "+name, full, Disturbance)
		g.add("empty "+name, empty, emptying)
		g.add("pour "+name, poured, pouring)
	}
	return g.next
}

func (g *glasses) add(move string, to [2]int, in Environments) {
	n := Successor[[2]int, string]{State: to, Canonical: g.canonical(to), Move: move, In: in}
	if g.broken > 0 && slices.Contains(to[:], g.broken) {
		n.Broken = "a glass holds the amount"
	}
	g.next = append(g.next, n)
}

func (g *glasses) canonical(s [2]int) [2]int {
	if g.equal && s[0] > s[1] {
		return [2]int{s[1], s[0]}
	}
	return s
}

func moves(steps []Step[[2]int, string]) []string {
	var list []string
	for _, s := range steps {
		list = append(list, s.Move)
	}
	return list
}

// TestViolationHasShortestPath measures four liters with glasses of three and five.
func TestViolationHasShortestPath(t *testing.T) {
	t.Parallel()
	for _, firstOnly := range []bool{true, false} {
		s, err := Explore(t.Context(), &glasses{sizes: [2]int{3, 5}, broken: 4}, [2]int{}, Limits{FirstOnly: firstOnly})
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Violations()) != 1 {
			t.Fatalf("%d violations", len(s.Violations()))
		}
		want := []string{"fill b", "pour b", "empty a", "pour b", "fill b", "pour b"}
		if got := moves(s.Path(s.Violations()[0])); !slices.Equal(got, want) {
			t.Errorf("the path is %q", got)
		}
	}
}

func TestEveryStateIsVisitedOnce(t *testing.T) {
	t.Parallel()
	s, err := Explore(t.Context(), &glasses{sizes: [2]int{3, 5}}, [2]int{}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	const states = 16 // of the 24 amounts, those in which a glass is empty or full
	if s.States() != states || s.Transitions() != 6*states || s.Depth() == 0 {
		t.Errorf("%d states, %d transitions, depth %d", s.States(), s.Transitions(), s.Depth())
	}
	for n := range s.States() {
		if steps := s.PathTo(n); n > 0 && s.model.Successors(steps[len(steps)-1].Before) == nil {
			t.Errorf("no path to %v", s.State(n))
		}
	}
}

// TestManyStates shows that the index finds states after it has grown.
func TestManyStates(t *testing.T) {
	t.Parallel()
	const size = 200
	s, err := Explore(t.Context(), &glasses{sizes: [2]int{size, size + 1}}, [2]int{}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[2]int]bool{}
	for n := range s.States() {
		seen[s.State(n)] = true
	}
	if len(seen) != s.States() || len(seen) < 2*size {
		t.Errorf("%d states, %d different ones", s.States(), len(seen))
	}
}

// TestSymmetry shows that states which differ in names are visited once, and that a
// path keeps its names.
func TestSymmetry(t *testing.T) {
	t.Parallel()
	g := &glasses{sizes: [2]int{7, 7}, equal: true}
	s, err := Explore(t.Context(), g, [2]int{}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	const states = 3 // both empty, one full, both full
	if s.States() != states {
		t.Errorf("%d states", s.States())
	}
	for n := range s.States() {
		at := [2]int{}
		for _, step := range s.PathTo(n) {
			if step.Before != at {
				t.Fatalf("the path to %v is at %v, and then at %v", s.State(n), at, step.Before)
			}
			next := g.Successors(at)
			i := slices.IndexFunc(next, func(to Successor[[2]int, string]) bool { return to.Move == step.Move })
			at = next[i].State
		}
		if g.canonical(at) != s.State(n) {
			t.Errorf("the path to %v leads to %v", s.State(n), at)
		}
	}
}

func TestGoals(t *testing.T) {
	t.Parallel()
	const dry, half Goals = 1, 2
	reached := func(s [2]int) Goals {
		var g Goals
		if s == [2]int{} {
			g |= dry
		}
		if s[0] == 0 {
			g |= half
		}
		return g
	}
	missed := func(missing Goals, environment string) string {
		if missing&dry != 0 {
			return environment + ", never dry"
		}
		return environment + ", never half"
	}
	for _, c := range []struct {
		in     Environments
		broken string
		path   []string
	}{
		{emptying, "", nil},
		{pouring, "it rains, never dry", []string{"fill a", "pour a"}},
	} {
		s, err := Explore(t.Context(), &glasses{sizes: [2]int{3, 5}}, [2]int{}, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.CheckGoals(t.Context(), []Expectation{{c.in, dry | half, "it rains"}}, reached, missed); err != nil {
			t.Fatal(err)
		}
		v := s.Violations()
		switch {
		case (c.broken == "") != (len(v) == 0) || c.broken != "" && v[0].Broken != c.broken:
			t.Errorf("environment %d: %v", c.in, v)
		case c.broken != "" && !slices.Equal(moves(s.Path(v[0])), c.path):
			t.Errorf("environment %d: the path is %q", c.in, moves(s.Path(v[0])))
		}
	}
}

func TestExploreFails(t *testing.T) {
	t.Parallel()
	model := &glasses{sizes: [2]int{3, 5}}
	if _, err := Explore(t.Context(), model, [2]int{}, Limits{States: 2}); !errors.Is(err, ErrTooMany) {
		t.Errorf("with too many states: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	because := errors.New("enough")
	cancel(because)
	if _, err := Explore(ctx, model, [2]int{}, Limits{}); !errors.Is(err, because) {
		t.Errorf("with a context that ended: %v", err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	if got := FileName("arm poll now after JobFinished, it's wrong: stream-only"); got != "arm_poll_now_after_jobfinished_it_s_wrong_stream_only" {
		t.Errorf("a file is called %s", got)
	}
	if got := Sentence("a job is lost"); got != "A job is lost." {
		t.Errorf("the sentence is %q", got)
	}
}
