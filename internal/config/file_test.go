package config

import (
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// known stands in for the settings of a command line.
var known = map[string]bool{
	"endpoint":     false,
	"agent.spawn":  false,
	"agent.tag":    true,
	"server.queue": false,
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, yaml string
		want       map[string][]string
		err        string
	}{
		{name: "empty", yaml: "", want: map[string][]string{}},
		{name: "comments only", yaml: "# nothing\n", want: map[string][]string{}},
		{name: "top level", yaml: "endpoint: http://h:1", want: map[string][]string{"endpoint": {"http://h:1"}}},
		{name: "section", yaml: "agent:\n  spawn: 4", want: map[string][]string{"agent.spawn": {"4"}}},
		{name: "text is kept as written", yaml: "agent:\n  spawn: 0x10", want: map[string][]string{"agent.spawn": {"0x10"}}},
		{name: "list", yaml: "agent:\n  tag: [a=1, 'b=x,y']", want: map[string][]string{"agent.tag": {"a=1", "b=x,y"}}},
		{name: "list of one", yaml: "agent:\n  tag: a=1", want: map[string][]string{"agent.tag": {"a=1"}}},
		{name: "mapping for a list", yaml: "agent:\n  tag:\n    b: 1\n    a:\n", want: map[string][]string{"agent.tag": {"b=1", "a="}}},
		{name: "alias", yaml: "endpoint: &x v\nserver:\n  queue: *x", want: map[string][]string{"endpoint": {"v"}, "server.queue": {"v"}}},
		{name: "key without value", yaml: "endpoint:\nagent:\n", want: map[string][]string{}},

		{name: "unknown key", yaml: "endpoint: a\nendpiont: b", err: `line 2: unknown key "endpiont"; did you mean endpoint?`},
		{name: "unknown key in a section", yaml: "agent:\n  spwan: 1", err: `line 2: unknown key "agent.spwan"; did you mean agent.spawn?`},
		{name: "key of another section", yaml: "agent:\n  queue: q", err: `line 2: unknown key "agent.queue"; did you mean server.queue?`},
		{name: "key twice", yaml: "endpoint: a\nendpoint: b", err: `line 2: duplicate key "endpoint"`},
		{name: "merge key", yaml: "agent: &a\n  spawn: 1\nserver:\n  <<: *a", err: `line 4: unknown key "server.<<"`},
		{name: "list where one value is wanted", yaml: "endpoint: [a]", err: "line 1: endpoint takes one value"},
		{name: "value where a section is wanted", yaml: "agent: 3", err: "line 1: agent must hold keys with values"},
		{name: "list of lists", yaml: "agent:\n  tag: [[a]]", err: "line 2: agent.tag takes a list of plain values"},
		{name: "nothing in a list", yaml: "agent:\n  tag: [a, ]", want: map[string][]string{"agent.tag": {"a"}}},
		{name: "null in a list", yaml: "agent:\n  tag: [a, null]", err: "line 2: agent.tag takes a list of plain values"},
		{name: "separator in a list", yaml: "agent:\n  tag: [\"a\\0b\"]", err: "line 2: agent.tag takes a list of plain values"},
		{name: "two mistakes", yaml: "a: 1\nagent:\n  b: 2", err: "line 1: unknown key \"a\"; line 3: unknown key \"agent.b\""},
		{name: "not a mapping", yaml: "- a", err: "line 1: must hold keys with values"},
		{name: "two documents", yaml: "endpoint: a\n---\nendpoint: b", err: "more than one YAML document"},
		{name: "not YAML", yaml: "a: b: c", err: "yaml: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			entries, problems := parse([]byte(tt.yaml), known)
			err := joined(problems)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "\n") {
					t.Fatalf("error %v, want one line with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := map[string][]string{}
			for key, e := range entries {
				got[key] = e.values
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// joined returns errors as one of one line, or nil.
func joined(problems []error) error {
	if len(problems) == 0 {
		return nil
	}
	return errors.New(strings.ReplaceAll(errors.Join(problems...).Error(), "\n", "; "))
}

// FuzzParse holds parse to what every caller relies on: no panic, only known
// keys, and an error of one line.
func FuzzParse(f *testing.F) {
	f.Add([]byte("endpoint: a\nagent:\n  spawn: 1\n  tag: {a: 1}\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("? [x]\n: y"))
	f.Fuzz(func(t *testing.T, content []byte) {
		entries, problems := parse(content, known)
		for _, err := range problems {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %q", err)
			}
		}
		for key := range maps.Keys(entries) {
			if !slices.Contains(slices.Collect(maps.Keys(known)), key) {
				t.Fatalf("unknown key %q", key)
			}
		}
	})
}
