package verify

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

// scoreFile records the result of every mutant.
const scoreFile = "../../testdata/mutation.txt"

const scoreHeader = `Mutants of the machine, and the results of fsm/verify.

Each differs from the machine in one thing. A mutant is killed when some property does not hold. It is the same
when it does what the machine does in every situation that a machine can reach, on every event that is possible
there: there is nothing to detect. Any other is a survivor, with an explanation below it.

Rewrite this file after a change of the table, and explain new survivors in it:
  go test ./fsm/verify -run TestMutants -mutants all -update -timeout 30m
`

// score is the content of scoreFile.
type score struct {
	table     string // the hash of its version
	kinds     []kindScore
	killers   map[string]int
	large     []string // killed in the large world only
	same      []string
	survivors []survivor
}

type kindScore struct {
	kind                            string
	mutants, killed, same, survived int
}

type survivor struct{ name, why string }

// add counts a mutant.
func (s *score) add(m *mutant, f *fate) {
	i := slices.IndexFunc(s.kinds, func(k kindScore) bool { return k.kind == m.kind })
	if i < 0 {
		i = len(s.kinds)
		s.kinds = append(s.kinds, kindScore{kind: m.kind})
	}
	k := &s.kinds[i]
	k.mutants++
	switch {
	case f.killed:
		k.killed++
		s.killers[general(f.property)]++
		if f.world > 0 {
			s.large = append(s.large, m.name())
		}
	case f.same:
		k.same++
		s.same = append(s.same, m.name())
	default:
		k.survived++
		s.survivors = append(s.survivors, survivor{name: m.name()})
	}
}

// general returns a property without its particulars.
func general(property string) string {
	if before, _, cut := strings.Cut(property, ": "); cut {
		return before
	}
	return property
}

// String returns the content of the file.
func (s *score) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\ntable %s\n\n%-22s %7s %6s %5s %8s\n", scoreHeader, s.table, "kind", "mutants", "killed", "same", "survived")
	var all kindScore
	for _, k := range append(slices.Clone(s.kinds), kindScore{kind: "together"}) {
		if k.kind == "together" {
			k = all
			k.kind = "together"
		}
		fmt.Fprintf(&b, "%-22s %7d %6d %5d %8d\n", k.kind, k.mutants, k.killed, k.same, k.survived)
		all.mutants += k.mutants
		all.killed += k.killed
		all.same += k.same
		all.survived += k.survived
	}
	b.WriteString("\n# Killed by\n")
	for _, p := range sortedKeys(s.killers) {
		fmt.Fprintf(&b, "%5d  %s\n", s.killers[p], p)
	}
	b.WriteString("\n# Survivors\n")
	for _, v := range s.survivors {
		fmt.Fprintf(&b, "%s\n    %s\n", v.name, v.why)
	}
	b.WriteString("\n# Killed with two jobs, and not with one\n")
	for _, name := range s.large {
		fmt.Fprintln(&b, name)
	}
	b.WriteString("\n# The same\n")
	for _, name := range s.same {
		fmt.Fprintln(&b, name)
	}
	return b.String()
}

func sortedKeys(m map[string]int) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// readScore reads the names and explanations from the file.
func readScore(t *testing.T) *score {
	t.Helper()
	text, err := os.ReadFile(scoreFile)
	if err != nil {
		t.Fatal(err)
	}
	s := &score{}
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "table "):
			s.table = strings.TrimPrefix(line, "table ")
		case strings.HasPrefix(line, "# "):
			section = line
		case line == "":
		case section == "# Survivors" && strings.HasPrefix(line, "    "):
			s.survivors[len(s.survivors)-1].why = strings.TrimSpace(line)
		case section == "# Survivors":
			s.survivors = append(s.survivors, survivor{name: line})
		case section == "# The same":
			s.same = append(s.same, line)
		case strings.HasPrefix(section, "# Killed with two jobs"):
			s.large = append(s.large, line)
		}
	}
	return s
}

// inSmallWorld reports whether a mutant is killed with one job, by the file.
func (s *score) inSmallWorld(name string) bool {
	return !slices.Contains(s.same, name) && !slices.Contains(s.large, name) &&
		!slices.ContainsFunc(s.survivors, func(v survivor) bool { return v.name == name })
}

// why returns the explanation of a survivor.
func (s *score) why(name string) string {
	for _, v := range s.survivors {
		if v.name == name {
			return v.why
		}
	}
	return ""
}
