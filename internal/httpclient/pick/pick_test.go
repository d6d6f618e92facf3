package pick

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestTable checks that each state has a row for each event, and that the last one of
// them always holds.
func TestTable(t *testing.T) {
	for state := range State(stateCount) {
		for event := range Event(eventCount) {
			last := -1
			for i, r := range table {
				if r.from == state && r.on == event {
					last = i
				}
			}
			if last < 0 {
				t.Errorf("%v, %v: no row", state, event)
				continue
			}
			if never := (&candidate{until: time.Unix(1, 0)}); !table[last].when(never, time.Unix(0, 0)) {
				t.Errorf("%v, %v: a guard on the last row", state, event)
			}
		}
	}
}

// TestOrder runs events of the candidates a, b and c and checks the order after them.
func TestOrder(t *testing.T) {
	rows := []struct {
		name   string
		events string // SECONDS CANDIDATE EVENT, separated by commas
		at     int    // seconds
		want   string
	}{
		{"nothing known", "", 0, "a b c"},
		{"a failure", "0 a failed", 1, "b c a"},
		{"its time ends", "0 a failed", 15, "a b c"},
		{"a success ends it", "0 a failed, 1 a succeeded", 2, "a b c"},
		{"a success alone changes nothing", "0 b succeeded", 1, "a b c"},
		{"asked to leave", "0 a left", 1, "b c a"},
		{"asked to leave, and its time ends", "0 a left", 15, "a b c"},
		{"all fail: they take turns", "0 a failed, 1 b failed, 2 c failed", 3, "a b c"},
		{"all fail: the next turn", "0 a failed, 1 b failed, 2 c failed, 3 a failed", 4, "b c a"},
		{"many calls that fail together count once", "0 a failed, 0 a failed, 0 a failed", 15, "a b c"},
		{"it fails when it is due: longer", "0 a failed, 15 a failed", 44, "b c a"},
		{"the longer time ends", "0 a failed, 15 a failed", 45, "a b c"},
		{
			"the longest time",
			"0 a failed, 15 a failed, 45 a failed, 105 a failed, 225 a failed", 345, "a b c",
		},
		{"a success forgives", "0 a failed, 15 a failed, 50 a succeeded, 60 a failed", 75, "a b c"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var p Pick
			at := func(seconds int) time.Time { return time.Unix(int64(seconds), 0) }
			for event := range strings.SplitSeq(row.events, ",") {
				fields := strings.Fields(event)
				if len(fields) == 0 {
					continue
				}
				seconds, err := strconv.Atoi(fields[0])
				if err != nil {
					t.Fatal(err)
				}
				p.Step(at(seconds), fields[1], parse(t, fields[2]))
			}
			if got := strings.Join(p.Order(at(row.at), []string{"a", "b", "c"}), " "); got != row.want {
				t.Errorf("got %s, want %s", got, row.want)
			}
		})
	}
}

func parse(t *testing.T, name string) Event {
	t.Helper()
	for event := range Event(eventCount) {
		if event.String() == name {
			return event
		}
	}
	t.Fatalf("no event %s", name)
	return 0
}

// TestBounded checks that names which change without end do not fill the memory.
func TestBounded(t *testing.T) {
	var p Pick
	for i := range 2 * maxKnown {
		p.Step(time.Unix(int64(i), 0), strconv.Itoa(i), Failed)
	}
	if len(p.known) != maxKnown {
		t.Errorf("%d are remembered, want %d", len(p.known), maxKnown)
	}
	if now := time.Unix(2*maxKnown, 0); !p.Aside(now, strconv.Itoa(2*maxKnown-1)) {
		t.Error("the last one is forgotten")
	}
}
