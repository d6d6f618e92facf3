package job

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newReaper is a Reaper for one test, which must not be parallel to others:
// their commands would be strangers to it.
func newReaper(t *testing.T) *Reaper {
	t.Helper()
	reaper, err := NewReaper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := reaper.Close(); err != nil {
			t.Error(err)
		}
	})
	return reaper
}

// checkChildless checks that this process has no children, ended ones included.
func checkChildless(t *testing.T) {
	t.Helper()
	all, err := processes()
	if err != nil {
		t.Fatal(err)
	}
	for pid, p := range all {
		if p.parent == os.Getpid() {
			command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // none, if it has ended
			t.Errorf("process %d is left behind: %q, %+v", pid, command, p)
		}
	}
}

// TestRunEndsDaemons leaves daemons behind in every way that a shell knows.
// None holds the job's output.
func TestRunEndsDaemons(t *testing.T) {
	const quiet = " </dev/null >/dev/null 2>&1 "
	tests := []struct {
		name, script string
		unmarked     bool // without a Reaper nobody can tell
	}{
		{name: "in its own session", script: "setsid sleep 600" + quiet + "& echo ready"},
		{name: "twice forked", script: "setsid sh -c 'sleep 600 & exit'" + quiet + "; echo ready"},
		{name: "twice forked, elsewhere, deaf", script: "cd /; setsid sh -c 'trap \"\" TERM HUP INT; sleep 600 & exit'" + quiet + "; echo ready"},
		{name: "a family of daemons", script: "for i in 1 2 3; do setsid sh -c '(setsid sleep 600 & sleep 600) & sleep 600 &'" + quiet + "; done; echo ready"},
		{name: "cleared environment, of a daemon", script: "setsid sh -c 'env -i sleep 600 & sleep 600 &'" + quiet + "; echo ready", unmarked: true},
		{name: "cleared environment", script: "env -i setsid sh -c 'sleep 600 & exit'" + quiet + "; echo ready", unmarked: true},
		{name: "ended by itself", script: "setsid sh -c 'true & exit'" + quiet + "; echo ready"},
	}
	for _, with := range []string{"a reaper", "the mark alone"} {
		t.Run(with, func(t *testing.T) {
			var reaper *Reaper
			if with == "a reaper" {
				reaper = newReaper(t)
			}
			for _, tt := range tests {
				for _, cancelled := range []bool{false, true} {
					if reaper != nil || !tt.unmarked {
						t.Run(fmt.Sprintf("%s, cancelled: %v", tt.name, cancelled), func(t *testing.T) {
							endDaemons(t, reaper, tt.script, cancelled)
						})
					}
				}
			}
		})
	}
}

func endDaemons(t *testing.T, reaper *Reaper, script string, cancelled bool) {
	t.Helper()
	script = `exec 9>"$LIFELINE"; ` + script
	if cancelled {
		script += "; sleep 600"
	}
	line := newLifeline(t)
	cp := &recorder{}
	spec, opts := jobFor(t, script)
	spec.Env["LIFELINE"] = line.path
	opts.Reaper, opts.CancelGrace, opts.PipeGrace = reaper, long, long
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	if cancelled {
		cp.onChunk = func(context.Context, Chunk) error {
			cancel(ErrCanceled)
			return nil
		}
	}
	result, err := Run(ctx, spec, cp, opts)
	if err != nil || (result.Canceled != nil) != cancelled {
		t.Errorf("%+v, %v", result, err)
	}
	line.gone(t)
	if reaper != nil {
		checkChildless(t)
	}
}

// What cannot be told to be one job's is left while another runs that may have
// started it, and ends with that.
func TestRunEndsStrangersLast(t *testing.T) {
	reaper := newReaper(t)
	gate := filepath.Join(t.TempDir(), "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	line := newLifeline(t)
	run := func(cp *recorder, script string) {
		spec, opts := jobFor(t, script)
		spec.Env["LIFELINE"], spec.Env["GATE"] = line.path, gate
		opts.Reaper, opts.PipeGrace = reaper, long
		if result, err := Run(t.Context(), spec, cp, opts); err != nil || result.ExitStatus != "0" {
			t.Errorf("%+v, %v", result, err)
		}
	}
	older := &recorder{}
	var both sync.WaitGroup
	both.Go(func() { run(older, `echo ready; read x <"$GATE"`) })
	older.await(t, "ready")
	run(&recorder{}, `exec 9>"$LIFELINE"; env -i setsid sh -c 'sleep 600 & exit' </dev/null >/dev/null 2>&1`)
	all, err := processes()
	if err != nil {
		t.Fatal(err)
	}
	if n := len(descendants(all, os.Getpid())); n != 2 { // the older job's shell, and the stranger
		t.Errorf("%d processes while the older job runs, want 2", n)
	}
	if err := os.WriteFile(gate, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	both.Wait()
	line.gone(t)
	checkChildless(t)
}

// TestMembers is about who belongs to whom, in pictures of a machine.
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
		otherAt  uint64 // when the other command started; 0: there is none
		want     []int
		noReaper bool
	}{
		{name: "nobody"},
		{name: "the leader and its session", all: []proc{{pid: leader, parent: self, session: leader}, {pid: 2, parent: self, session: leader}}, want: []int{2, leader}},
		{name: "the marked", all: []proc{{pid: 2, parent: self}, {pid: 3, parent: 2}}, marks: map[int]string{2: mark}, want: []int{2, 3}},
		{name: "the marked, elsewhere", all: []proc{{pid: 2, parent: 1}, {pid: 3, parent: 2}}, marks: map[int]string{2: mark}, want: []int{2, 3}, noReaper: true},
		{name: "below the marked of another", all: []proc{{pid: other, parent: self, session: other}, {pid: 2, parent: other}, {pid: 3, parent: 2}}, marks: map[int]string{2: "c.its"}, otherAt: 1},
		{name: "a marked one below one with no mark", all: []proc{{pid: 2, parent: self, started: 5}, {pid: 3, parent: 2}}, marks: map[int]string{3: mark}, otherAt: 1, want: []int{3}},
		{name: "a stray of somebody", all: []proc{{pid: 2, parent: self, started: 7}}, otherAt: 7},
		{name: "a stray from before the other", all: []proc{{pid: 2, parent: self, started: 6}}, otherAt: 7, want: []int{2}},
		{name: "a stray of the other", all: []proc{{pid: 2, parent: self, started: 6, session: other}}, otherAt: 7},
		{name: "a child from before all jobs", all: []proc{{pid: 9, parent: self, started: 1}, {pid: 10, parent: 9}}},
		{name: "with the id of a child from before", all: []proc{{pid: 9, parent: self, started: 5}}, want: []int{9}},
		{name: "strangers", all: []proc{{pid: 2, parent: 1}, {pid: 3, parent: 2}}},
		{name: "a picture with a loop", all: []proc{{pid: 2, parent: 3}, {pid: 3, parent: 2}, {pid: 4, parent: self}, {pid: 5, parent: 5}}, want: []int{4}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reaper := &Reaper{started: map[int]startedCommand{leader: {mark: mark}}, before: map[int]uint64{9: 1}}
			if tt.otherAt > 0 {
				reaper.started[other] = startedCommand{mark: "c.its", at: tt.otherAt}
			}
			if tt.noReaper {
				reaper = nil
			}
			all := map[int]proc{}
			for _, p := range tt.all {
				all[p.pid] = p
			}
			f := family{mark: mark, reaper: reaper}
			got := slices.Sorted(maps.Keys(f.members(all, leader, func(pid int) string { return tt.marks[pid] })))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("members (-want +got):\n%s", diff)
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

// TestRunThousandJobs runs a thousand jobs, some of which leave a daemon: no
// process and no descriptor is left.
func TestRunThousandJobs(t *testing.T) {
	const atOnce = 8
	jobs := 1000
	if testing.Short() {
		jobs = 100
	}
	reaper := newReaper(t)
	line := newLifeline(t)
	one := func(i int) {
		script := "true"
		if i%20 == 0 {
			script = `exec 9>"$LIFELINE"; setsid sh -c 'sleep 600 & exit' </dev/null >/dev/null 2>&1`
		}
		spec, opts := jobFor(t, script)
		spec.Env["LIFELINE"], opts.Reaper = line.path, reaper
		if result, err := Run(t.Context(), spec, &recorder{}, opts); err != nil || result.ExitStatus != "0" {
			t.Errorf("job %d: %+v, %v", i, result, err)
		}
	}
	one(0) // what is opened once for all is open after this
	before := descriptors(t)
	var all sync.WaitGroup
	for worker := range atOnce {
		all.Go(func() {
			for i := worker; i < jobs; i += atOnce {
				one(i)
			}
		})
	}
	all.Wait()
	line.gone(t)
	checkChildless(t)
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors open, %d before", after, before)
	}
}
