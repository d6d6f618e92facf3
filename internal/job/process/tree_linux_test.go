package process

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMembers finds the processes of one program among snapshots of all processes.
func TestMembers(t *testing.T) {
	t.Parallel()
	self := os.Getpid()
	const (
		leader, other = 100, 200
		mark          = "c.mine"
	)
	tests := []struct {
		name     string
		all      []proc
		marks    map[int]string
		otherAt  uint64 // when the other program was started; 0: there is none
		want     []int
		noReaper bool
		unsure   bool // a process may be left
	}{
		{name: "no process"},
		{name: "the leader and its session", all: []proc{{pid: leader, parent: self, session: leader}, {pid: 2, parent: self, session: leader}}, want: []int{2, leader}},
		{name: "a marked process", all: []proc{{pid: 2, parent: self}, {pid: 3, parent: 2}}, marks: map[int]string{2: mark}, want: []int{2, 3}},
		{name: "a marked process below another parent", all: []proc{{pid: 2, parent: 1}, {pid: 3, parent: 2}}, marks: map[int]string{2: mark}, want: []int{2, 3}, noReaper: true, unsure: true},
		{name: "below a marked process of another program", all: []proc{{pid: other, parent: self, session: other}, {pid: 2, parent: other}, {pid: 3, parent: 2}}, marks: map[int]string{2: "c.its"}, otherAt: 1},
		{name: "a marked process below one without a mark", all: []proc{{pid: 2, parent: self, started: 5}, {pid: 3, parent: 2}}, marks: map[int]string{3: mark}, otherAt: 1, want: []int{3}, unsure: true},
		{name: "an orphan that may be of another program", all: []proc{{pid: 2, parent: self, started: 7}}, otherAt: 7, unsure: true},
		{name: "an orphan with the mark of the other program", all: []proc{{pid: 2, parent: self, started: 7}}, marks: map[int]string{2: "c.its"}, otherAt: 7},
		{name: "one that may be of another program, and has ended", all: []proc{{pid: 2, parent: self, started: 7, zombie: true}}, otherAt: 7},
		{name: "an orphan from before the other program", all: []proc{{pid: 2, parent: self, started: 6}}, otherAt: 7, want: []int{2}},
		{name: "an orphan in the session of the other program", all: []proc{{pid: 2, parent: self, started: 6, session: other}}, otherAt: 7},
		{name: "a child from before the reaper", all: []proc{{pid: 9, parent: self, started: 1}, {pid: 10, parent: 9}}},
		{name: "a new process with the ID of an earlier child", all: []proc{{pid: 9, parent: self, started: 5}}, want: []int{9}},
		{name: "processes elsewhere", all: []proc{{pid: 2, parent: 1}, {pid: 3, parent: 2}}},
		{name: "a snapshot with a loop", all: []proc{{pid: 2, parent: 3}, {pid: 3, parent: 2}, {pid: 4, parent: self}, {pid: 5, parent: 5}}, want: []int{4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reaper := &Reaper{started: map[int]string{leader: mark}, before: map[int]uint64{9: 1}}
			if tt.otherAt > 0 {
				reaper.started[other] = "c.its"
			}
			if tt.noReaper {
				reaper = nil
			}
			all := map[int]proc{}
			for _, p := range tt.all {
				all[p.pid] = p
			}
			tr := tree{mark: mark, reaper: reaper}
			got := slices.Sorted(maps.Keys(tr.members(all, leader,
				func(pid int) string { return tt.marks[pid] }, func(int) uint64 { return tt.otherAt })))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
			}
			if tr.unsure != tt.unsure {
				t.Errorf("a process may be left: %t, want %t", tr.unsure, tt.unsure)
			}
		})
	}
}

func TestParseStat(t *testing.T) {
	t.Parallel()
	const rest = " 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20"
	tests := []struct {
		stat string
		want proc
		ok   bool
	}{
		{"7 (sh) S" + rest, proc{pid: 7, parent: 1, session: 3, started: 4711}, true},
		{"7 (a) Z (b)) Z" + rest, proc{pid: 7, parent: 1, session: 3, started: 4711, zombie: true}, true},
		{"7 (new\nline) R" + rest, proc{pid: 7, parent: 1, session: 3, started: 4711}, true},
		{"7 (sh) S 1 2", proc{}, false},
		{"", proc{}, false},
		{"7 (sh) S" + strings.Replace(rest, "1", "x", 1), proc{}, false},
	}
	for _, tt := range tests {
		got, err := parseStat(7, tt.stat)
		if (err == nil) != tt.ok || tt.ok && got != tt.want {
			t.Errorf("%q: %+v, %v; want %+v", tt.stat, got, err, tt.want)
		}
	}
}
