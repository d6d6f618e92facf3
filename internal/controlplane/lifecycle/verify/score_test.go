package verify

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

var (
	mutants = flag.String("mutants", "sample", "which mutants to try: sample or all")
	update  = flag.Bool("update", false, "with -mutants all: rewrite testdata/mutation_job.txt")
)

const (
	scoreFile   = "../../../../testdata/mutation_job.txt"
	scoreHeader = `Mutants of the job's table, and the results of internal/controlplane/lifecycle/verify.

Each differs from the table in one thing. A mutant is killed when some property of the exploration does not hold. Any
other is a survivor, with an explanation below it.

Rewrite this file after a change of the table, and explain new survivors in it:
  go test ./internal/controlplane/lifecycle/verify -run TestMutants -mutants all -update -timeout 30m
`
)

// smallBounds returns a world without killed agents: enough to detect most mutants.
func smallBounds() Bounds { return Bounds{InFlight: 2} }

// try returns the property that a mutant violates, or an empty string.
func try(ctx context.Context, m *mutant) (string, error) {
	for _, b := range []Bounds{smallBounds(), DefaultBounds()} {
		r, err := Check(ctx, Options{Bounds: b, Table: m.table, FirstOnly: true, Workers: 1})
		if err != nil {
			return "", fmt.Errorf("mutant %s: %w", m.name(), err)
		}
		if len(r.Violations) > 0 {
			return r.Violations[0].Property, nil
		}
	}
	return "", nil
}

// TestMutants shows that the properties can fail: each mutant violates one, or
// testdata/mutation_job.txt explains why not. By default it tries some of them.
func TestMutants(t *testing.T) {
	oneGoroutine(t)
	all := allMutants()
	why := readScore(t)
	if *mutants != "all" {
		const every = 41
		for i := 0; i < len(all); i += every {
			if _, survives := why[all[i].name()]; survives {
				continue
			}
			switch property, err := try(t.Context(), &all[i]); {
			case err != nil:
				t.Fatal(err)
			case property == "":
				t.Errorf("%s is not killed", all[i].name())
			}
		}
		return
	}
	text := score(t, all, tryAll(t, all), why)
	if *update {
		if err := os.WriteFile(scoreFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old, err := os.ReadFile(scoreFile); err != nil || string(old) != text {
		t.Errorf("%s is out of date; rewrite it as it says (%v)", scoreFile, err)
	}
}

// tryAll returns the property that each mutant violates.
func tryAll(t *testing.T, all []mutant) []string {
	killers := make([]string, len(all))
	work := make(chan int)
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for i := range work {
				var err error
				if killers[i], err = try(t.Context(), &all[i]); err != nil {
					t.Error(err)
				}
				if killers[i] == "" {
					t.Logf("not killed: %s", all[i].name())
				}
			}
		})
	}
	for i := range all {
		work <- i
	}
	close(work)
	group.Wait()
	return killers
}

// score returns the content of scoreFile.
func score(t *testing.T, all []mutant, killers []string, why map[string]string) string {
	var b, survivors strings.Builder
	fmt.Fprintf(&b, "%s\n%-16s %7s %6s %8s\n", scoreHeader, "kind", "mutants", "killed", "survived")
	killed, by := map[string]int{}, map[string]int{}
	total := map[string]int{}
	var kinds []string
	for i := range all {
		m := &all[i]
		if total[m.kind] == 0 {
			kinds = append(kinds, m.kind)
		}
		for _, kind := range []string{m.kind, "together"} {
			total[kind]++
			if killers[i] != "" {
				killed[kind]++
			}
		}
		if killers[i] != "" {
			general, _, _ := strings.Cut(killers[i], ": ")
			by[general]++
			continue
		}
		reason := why[m.name()]
		if reason == "" {
			reason = "UNEXPLAINED"
			t.Errorf("%s survives, without an explanation in %s", m.name(), scoreFile)
		}
		fmt.Fprintf(&survivors, "%s\n    %s\n", m.name(), reason)
	}
	for _, kind := range append(kinds, "together") {
		fmt.Fprintf(&b, "%-16s %7d %6d %8d\n", kind, total[kind], killed[kind], total[kind]-killed[kind])
	}
	b.WriteString("\n# Killed by\n")
	for _, property := range slices.Sorted(maps.Keys(by)) {
		fmt.Fprintf(&b, "%5d  %s\n", by[property], property)
	}
	b.WriteString("\n# Survivors\n" + survivors.String())
	return b.String()
}

// readScore returns the survivors of the file, with their explanations.
func readScore(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(scoreFile)
	if err != nil {
		t.Fatal(err)
	}
	why := map[string]string{}
	_, survivors, _ := strings.Cut(string(text), "# Survivors\n")
	name := ""
	for line := range strings.Lines(survivors) {
		line = strings.TrimRight(line, "\n")
		if reason, found := strings.CutPrefix(line, "    "); found {
			why[name] = reason
		} else {
			name = line
		}
	}
	return why
}
