package diagram_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram"
)

// section returns the lines below a heading of the page, up to the next one.
func section(t *testing.T, page, heading string) []string {
	t.Helper()
	_, after, found := strings.Cut(page, "\n"+heading+"\n")
	if !found {
		t.Fatalf("the page has no heading %q", heading)
	}
	var lines []string
	for l := range strings.Lines(after) {
		if strings.HasPrefix(l, "#") {
			break
		}
		lines = append(lines, strings.TrimSuffix(l, "\n"))
	}
	return lines
}

// cells returns the cells of each row of the section's table.
func cells(lines []string) [][]string {
	const head = 2
	var rows [][]string
	for _, l := range lines {
		if !strings.HasPrefix(l, "|") {
			continue
		}
		row := strings.Split(strings.Trim(l, "|"), "|")
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		rows = append(rows, row)
	}
	return rows[min(head, len(rows)):]
}

// TestMarkdownHasEveryRow reads the table back from the page, and compares it with
// the table of the machine.
func TestMarkdownHasEveryRow(t *testing.T) {
	t.Parallel()
	page := string(draw(t, diagram.Markdown, diagram.Options{}))
	var got, want []string
	for _, s := range fsm.States() {
		heading := "### From " + s.String()
		switch s { //nolint:exhaustive // the pseudo-states are the exceptions
		case fsm.Initial:
			heading = "### Start"
		case fsm.Stopped:
			continue
		}
		event := ""
		for _, row := range cells(section(t, page, heading)) {
			if row[0] != "" {
				event = strings.Trim(row[0], "`")
			}
			to := strings.Trim(row[2], "*")
			if to == "(stays)" {
				to = s.String()
			}
			got = append(got, fmt.Sprintf("%v, %s, %s: %s, %s", s, event, row[1], to, row[3]))
		}
	}
	for _, r := range fsm.Rows() {
		names := make([]string, len(r.Do))
		for i, a := range r.Do {
			names[i] = a.Name
		}
		want = append(want, fmt.Sprintf("%v, %v, %s: %v, %s", r.From, r.On, r.When.Name, r.To, strings.Join(names, ", ")))
	}
	if !slices.Equal(got, want) {
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Fatalf("row %d of %d differs: the page has\n%q, and the table\n%q", i, len(want), got[i:], want[i:])
			}
		}
	}
}

// TestMarkdownHasEveryIgnoredPair shows that the page has each ignored pair with
// its reason, and no other.
func TestMarkdownHasEveryIgnoredPair(t *testing.T) {
	t.Parallel()
	page := string(draw(t, diagram.Markdown, diagram.Options{}))
	got := map[string]bool{}
	for _, row := range cells(section(t, page, "## Ignored events")) {
		events := row[1]
		if rest, every := strings.CutPrefix(events, "every event"); every {
			events = ""
			for _, k := range fsm.EventKinds() {
				if !strings.Contains(rest, "`"+k.String()+"`") {
					events += k.String() + ", "
				}
			}
			events = strings.TrimSuffix(events, ", ")
		}
		for event := range strings.SplitSeq(events, ", ") {
			event = strings.TrimSuffix(event, " (when no guard above holds)")
			got[strings.Trim(row[0], "`")+", "+strings.Trim(event, "`")+": "+row[2]] = true
		}
	}
	for _, p := range fsm.IgnoredPairs() {
		key := fmt.Sprintf("%v, %v: %s", p.From, p.On, p.Why)
		if !got[key] {
			t.Errorf("the page does not have %s", key)
		}
		delete(got, key)
	}
	for key := range got {
		t.Errorf("the page has %s, and the table does not", key)
	}
}

// TestMarkdownIsComplete shows that the page has the meaning of each word, the
// version of the table, and the command that rewrites the page.
func TestMarkdownIsComplete(t *testing.T) {
	t.Parallel()
	page := string(draw(t, diagram.Markdown, diagram.Options{}))
	wanted := []string{
		fsm.TableHash(), ".ci/generate", "```mermaid\nstateDiagram-v2\n",
	}
	for _, s := range fsm.States() {
		if s != fsm.Initial {
			wanted = append(wanted, fmt.Sprintf("| `%v` | %s |", s, s.Meaning()))
		}
	}
	for _, k := range fsm.EventKinds() {
		wanted = append(wanted, fmt.Sprintf("| `%v` | %s |", k, k.Meaning()))
	}
	for _, term := range append(fsm.ConditionTerms(), fsm.ActionTerms()...) {
		wanted = append(wanted, fmt.Sprintf("| %s | %s |", term.Name, term.Meaning))
	}
	for _, text := range wanted {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not have %q", text)
		}
	}
}
