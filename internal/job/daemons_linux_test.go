package job

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// newReaper returns a Reaper for one test, which must not run in parallel with
// others: the Reaper would regard their processes as orphans.
func newReaper(t *testing.T) *process.Reaper {
	t.Helper()
	reaper, err := process.NewReaper()
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

// children returns the command lines of this process's children, including those
// that have ended and are not reaped.
func children(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, file := range files {
		stat, err := os.ReadFile(file) //nolint:gosec // a process
		if err != nil {
			continue // it has ended
		}
		// After the name in parentheses: state, parent.
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if len(fields) > 1 && fields[1] == strconv.Itoa(os.Getpid()) {
			command, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline")) //nolint:gosec // empty, if it has ended
			found = append(found, fmt.Sprintf("%s %q", file, command))
		}
	}
	return found
}

// checkChildless checks that this process has no children.
func checkChildless(t *testing.T) {
	t.Helper()
	if found := children(t); len(found) > 0 {
		t.Errorf("processes left behind: %s", strings.Join(found, ", "))
	}
}

// TestRunEndsDaemons runs jobs that leave daemons behind, none of which holds the
// output open.
func TestRunEndsDaemons(t *testing.T) {
	const quiet = " </dev/null >/dev/null 2>&1 "
	tests := []struct {
		name, script string
		unmarked     bool // found only with a Reaper
	}{
		{name: "in its own session", script: "setsid sleep 600" + quiet + "& echo ready"},
		{name: "forked twice", script: "setsid sh -c 'sleep 600 & exit'" + quiet + "; echo ready"},
		{name: "forked twice, in another directory, ignoring signals", script: "cd /; setsid sh -c 'trap \"\" TERM HUP INT; sleep 600 & exit'" + quiet + "; echo ready"},
		{name: "a tree of daemons", script: "for i in 1 2 3; do setsid sh -c '(setsid sleep 600 & sleep 600) & sleep 600 &'" + quiet + "; done; echo ready"},
		{name: "cleared environment, of a daemon", script: "setsid sh -c 'env -i sleep 600 & sleep 600 &'" + quiet + "; echo ready", unmarked: true},
		{name: "cleared environment", script: "env -i setsid sh -c 'sleep 600 & exit'" + quiet + "; echo ready", unmarked: true},
		{name: "ended by itself", script: "setsid sh -c 'true & exit'" + quiet + "; echo ready"},
	}
	for _, with := range []string{"a reaper", "the mark only"} {
		t.Run(with, func(t *testing.T) {
			var reaper *process.Reaper
			if with == "a reaper" {
				reaper = newReaper(t)
			}
			for _, tt := range tests {
				for _, canceled := range []bool{false, true} {
					if reaper != nil || !tt.unmarked {
						t.Run(fmt.Sprintf("%s, canceled: %v", tt.name, canceled), func(t *testing.T) {
							endDaemons(t, reaper, tt.script, canceled)
						})
					}
				}
			}
		})
	}
}

func endDaemons(t *testing.T, reaper *process.Reaper, script string, canceled bool) {
	t.Helper()
	script = `exec 9>"$LIFELINE"; ` + script
	if canceled {
		script += "; sleep 600"
	}
	line := newLifeline(t)
	cp := &recorder{}
	spec, opts := jobFor(t, script)
	spec.Env["LIFELINE"] = line.path
	opts.Reaper, opts.CancelGrace, opts.OutputGrace = reaper, long, long
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	if canceled {
		cp.onChunk = func(context.Context, wire.Chunk) error {
			cancel(ErrCanceled)
			return nil
		}
	}
	result, err := Run(ctx, spec, cp, opts)
	if err != nil || (result.Canceled != nil) != canceled {
		t.Errorf("%+v, %v", result, err)
	}
	line.gone(t)
	if reaper != nil {
		checkChildless(t)
	}
}

// TestRunEndsOrphansLast leaves an orphan that could belong to either of two jobs.
// It runs as long as one of these jobs runs.
func TestRunEndsOrphansLast(t *testing.T) {
	reaper := newReaper(t)
	gate := filepath.Join(t.TempDir(), "gate")
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	line := newLifeline(t)
	run := func(cp *recorder, script string) {
		spec, opts := jobFor(t, script)
		spec.Env["LIFELINE"], spec.Env["GATE"] = line.path, gate
		opts.Reaper, opts.OutputGrace = reaper, long
		if result, err := Run(t.Context(), spec, cp, opts); err != nil || result.ExitStatus != "0" {
			t.Errorf("%+v, %v", result, err)
		}
	}
	older := &recorder{}
	var both sync.WaitGroup
	both.Go(func() { run(older, `echo ready; read x <"$GATE"`) })
	older.await(t, "ready")
	run(&recorder{}, `exec 9>"$LIFELINE"; env -i setsid sh -c 'sleep 600 & exit' </dev/null >/dev/null 2>&1`)
	if found := children(t); len(found) != 2 { // the shell of the older job, and the orphan
		t.Errorf("%d processes while the older job runs, want 2: %s", len(found), strings.Join(found, ", "))
	}
	if err := os.WriteFile(gate, []byte("\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	both.Wait()
	line.gone(t)
	checkChildless(t)
}

// TestRunThousandJobs runs a thousand jobs, some of which leave a daemon behind. No
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
	one(0) // opens what is opened once per process
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
	if after := descriptors(t); after > before { // an earlier test may leave some to the garbage collector
		t.Errorf("%d descriptors open, %d before", after, before)
	}
}
