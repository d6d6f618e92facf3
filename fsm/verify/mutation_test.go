package verify

import (
	"flag"
	"os"
	"sync"
	"testing"

	"github.com/switchyard-ci/switchyard/fsm"
)

var (
	mutants = flag.String("mutants", "sample", "which mutants to try: sample or all")
	update  = flag.Bool("update", false, "with -mutants all: rewrite testdata/mutation.txt")
)

// TestMutants shows that the properties can fail: for each mutant a property does
// not hold, or testdata/mutation.txt explains why. By default it tries some of
// the mutants in a small world.
func TestMutants(t *testing.T) {
	switch *mutants {
	case "all":
		tryAll(t)
	case "sample":
		trySample(t)
	default:
		t.Fatalf("-mutants is %q, and must be sample or all", *mutants)
	}
}

func trySample(t *testing.T) {
	oneGoroutine(t)
	const every = 61 // not a divisor of any pattern in the order of mutants
	known := readScore(t)
	if known.table != fsm.TableHash() {
		t.Errorf("%s is about table %s, and this is %s: rewrite it as it says", scoreFile, known.table, fsm.TableHash())
	}
	trial := &trial{bounds: []Bounds{smallBounds()}} // each of them does something else
	all := allMutants()
	tried := 0
	for i := 0; i < len(all); i += every {
		m := &all[i]
		if !known.inSmallWorld(m.name()) {
			continue
		}
		tried++
		result, err := trial.try(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		if !result.killed {
			t.Errorf("%s is not killed", m.name())
		}
	}
	t.Logf("%d of %d mutants tried", tried, len(all))
}

func tryAll(t *testing.T) {
	trial, err := newTrial(t.Context(), smallBounds(), DefaultBounds())
	if err != nil {
		t.Fatal(err)
	}
	all := allMutants()
	fates := make([]fate, len(all))
	var group sync.WaitGroup
	work := make(chan int)
	for range 2 {
		group.Go(func() {
			for i := range work {
				var err error
				if fates[i], err = trial.try(t.Context(), &all[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range all {
		work <- i
	}
	close(work)
	group.Wait()

	known := readScore(t)
	now := &score{table: fsm.TableHash(), killers: map[string]int{}}
	for i := range all {
		now.add(&all[i], &fates[i])
	}
	for i := range now.survivors {
		v := &now.survivors[i]
		v.why = known.why(v.name)
		if v.why == "" {
			v.why = "UNEXPLAINED"
			t.Errorf("%s survives, without an explanation in %s", v.name, scoreFile)
		}
	}
	text, err := os.ReadFile(scoreFile)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case *update:
		if err := os.WriteFile(scoreFile, []byte(now.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	case now.String() != string(text):
		t.Errorf("%s is out of date; rewrite it as it says", scoreFile)
	}
}
