package scripttest

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"
)

// Processes are the processes of one script. They belong to the script's
// goroutine.
type Processes struct {
	byName  map[string]*Process // the last one of each name
	started []*Process          // all, in order
}

type processesKey struct{}

// Setup prepares a script for the commands. It returns the script's processes,
// which are killed at its end.
func Setup(env *testscript.Env) *Processes {
	ps := &Processes{byName: map[string]*Process{}}
	env.Values[processesKey{}] = ps
	env.Defer(func() {
		for _, p := range slices.Backward(ps.started) {
			p.Kill()
		}
	})
	return ps
}

// Of returns the processes of a script.
func Of(ts *testscript.TestScript) *Processes {
	ps, ok := ts.Value(processesKey{}).(*Processes)
	if !ok {
		ts.Fatalf("the script was not prepared with scripttest.Setup")
	}
	return ps
}

// Get returns the process with that name.
func (ps *Processes) Get(ts *testscript.TestScript, name string) *Process {
	p := ps.byName[name]
	if p == nil {
		ts.Fatalf("no process %q was started", name)
	}
	return p
}

// Add adds a process that was started.
func (ps *Processes) Add(p *Process) {
	ps.byName[p.Name] = p
	ps.started = append(ps.started, p)
}

// Start starts a program that is on the script's PATH, with the environment.
func (ps *Processes) Start(ts *testscript.TestScript, name string, env []string, program string, args ...string) {
	ps.startBy(ts, Start, name, env, program, args)
}

// StartInTerminal is Start with a terminal: see the function of this name.
func (ps *Processes) StartInTerminal(ts *testscript.TestScript, name string, env []string, program string, args ...string) {
	ps.startBy(ts, StartInTerminal, name, env, program, args)
}

// starter is Start or StartInTerminal.
type starter func(name, dir string, env []string, path string, args ...string) (*Process, error)

func (ps *Processes) startBy(ts *testscript.TestScript, by starter, name string, env []string, program string, args []string) {
	if old := ps.byName[name]; old != nil {
		select {
		case <-old.done: // the name is free again
		default:
			ts.Fatalf("process %q runs already", name)
		}
	}
	p, err := by(name, ts.Getenv("WORK"), env, lookPath(ts, program), args...)
	ts.Check(err)
	ps.Add(p)
}

// Await waits for a line of the process that matches, after the last expected one of its
// stream, and returns the match with its groups.
func (ps *Processes) Await(ts *testscript.TestScript, name, pattern string) []string {
	p := ps.Get(ts, name)
	compiled, err := regexp.Compile(pattern)
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	groups, next, ok := p.Journal.Await(ctx, p.next, compiled)
	if !ok {
		ps.Fatalf(ts, "%s did not write a line that matches %q", name, pattern)
	}
	p.next = next
	return groups
}

// Fatalf fails the script, and shows the last lines of every process.
func (ps *Processes) Fatalf(ts *testscript.TestScript, format string, args ...any) {
	const last = 40
	for _, p := range ps.started {
		lines, _ := p.Journal.Lines(0)
		ts.Logf("--- the last lines of %s:", p.Name)
		for _, line := range lines[max(0, len(lines)-last):] {
			ts.Logf("%s", line)
		}
	}
	ts.Fatalf(format, args...)
}

// environment lists the variables of a script that its processes get.
//
//nolint:gochecknoglobals // a table, never written
var environment = []string{
	"PATH", "HOME", "TMPDIR", "XDG_STATE_HOME", "GORACE",
	"SWITCHYARD_CONFIG", "SWITCHYARD_DATA_DIR", "SWITCHYARD_ENDPOINT", "SWITCHYARD_LOG_FORMAT", "SWITCHYARD_LOG_LEVEL",
	"SWITCHYARD_SERVER_LISTEN", "SWITCHYARD_SERVER_PING_INTERVAL", "SWITCHYARD_SERVER_STREAM", "SWITCHYARD_SERVER_KEEP_ALIVE",
	"SWITCHYARD_SERVER_STREAM_MAX_AGE",
	"SWITCHYARD_AGENT_ENDPOINT", "SWITCHYARD_AGENT_MODE", "SWITCHYARD_AGENT_NAME",
	"SWITCHYARD_CA_FILE", "SWITCHYARD_AGENT_CA_FILE", "SWITCHYARD_ADMIN_TOKEN_FILE",
	"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_BSP_SCHEDULE_DELAY",
}

// Environment returns the variables of a script that its processes get.
func Environment(ts *testscript.TestScript) []string {
	var env []string
	for _, name := range environment {
		if value := ts.Getenv(name); value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// lookPath finds a program on the script's PATH.
func lookPath(ts *testscript.TestScript, program string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, program)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	ts.Fatalf("there is no program %s", program)
	return ""
}
