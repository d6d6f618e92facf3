package fsm

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTableHash shows that every visible part of the table is in its hash.
func TestTableHash(t *testing.T) {
	t.Parallel()
	if got := TableHash(); !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(got) {
		t.Fatalf("TableHash is %q, not 16 hexadecimal digits", got)
	}
	if NewTable(Rows(), nil).Hash() != TableHash() {
		t.Fatal("two hashes of the same rows differ")
	}
	at := slices.IndexFunc(table, func(r Row) bool { return len(r.Do) == 2 })
	for _, c := range []struct {
		name   string
		change func(rows []Row) []Row
	}{
		{"a row dropped", func(rows []Row) []Row { return slices.Delete(rows, at, at+1) }},
		{"a row added", func(rows []Row) []Row { return append(rows, rows[at]) }},
		{"two rows swapped", func(rows []Row) []Row { rows[at], rows[at+1] = rows[at+1], rows[at]; return rows }},
		{"another from", func(rows []Row) []Row { rows[at].From = Running; return rows }},
		{"another event", func(rows []Row) []Row { rows[at].On = UptimeExpired; return rows }},
		{"another guard", func(rows []Row) []Row { rows[at].When = pingIsOld; return rows }},
		{"another target", func(rows []Row) []Row { rows[at].To = Stopped; return rows }},
		{"an action dropped", func(rows []Row) []Row { rows[at].Do = rows[at].Do[:1]; return rows }},
		{"actions swapped", func(rows []Row) []Row {
			do := slices.Clone(rows[at].Do)
			slices.Reverse(do)
			rows[at].Do = do
			return rows
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if NewTable(c.change(Rows()), nil).Hash() == TableHash() {
				t.Error("the hash is the same")
			}
		})
	}
}

// TestNamesFitTheHash shows that no name contains a separator of the hashed text.
func TestNamesFitTheHash(t *testing.T) {
	t.Parallel()
	for i := range table {
		r := &table[i]
		names := []string{r.From.String(), r.On.String(), r.When.Name, r.To.String()}
		for _, action := range r.Do {
			names = append(names, action.Name)
		}
		if text := strings.Join(names, ""); strings.ContainsAny(text, "\t\n") {
			t.Errorf("%v / %s: a name contains a tab or a newline", r.From, r.Name())
		}
	}
}
