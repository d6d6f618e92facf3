package e2e_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/switchyard-ci/switchyard/internal/faultproxy"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
)

// A command is one that scripts can give; see the package.
type command func(ts *testscript.TestScript, s *stage, args []string)

func commands() map[string]func(*testscript.TestScript, bool, []string) {
	all := map[string]func(*testscript.TestScript, bool, []string){}
	for _, c := range []struct {
		name, usage string
		least, most int
		run         command
	}{
		{"start", "NAME PROGRAM [ARGUMENT...]", 2, -1, start},
		{"expect", "NAME PATTERN [VARIABLE]", 2, 3, expect},
		{"never", "NAME PATTERN", 2, 2, never},
		{"signal", "NAME INT|TERM|KILL", 2, 2, sendSignal},
		{"end", "NAME CODE|SIGNAL", 2, 2, end},
		{"ready", "NAME", 1, 1, ready},
		{"peak", "NAME MIB", 2, 2, peak},
		{"exits", "CODE PROGRAM [ARGUMENT...]", 2, -1, exits},
		{"proxy", "", 0, 0, startProxy},
		{"nginx", "FRONT", 1, 1, startNginx},
		{"repository", "MODULE", 1, 1, serveRepository},
		{"cut", "stream|PATH", 1, 1, cutRoute},
		{"mute", "stream|PATH", 1, 1, muteRoute},
		{"heal", "stream|PATH", 1, 1, healRoute},
	} {
		all[c.name] = func(ts *testscript.TestScript, neg bool, args []string) {
			if neg || len(args) < c.least || c.most >= 0 && len(args) > c.most {
				ts.Fatalf("usage: %s %s", c.name, c.usage)
			}
			c.run(ts, stageOf(ts), args)
		}
	}
	return all
}

// settings are the variables of a script that its processes get.
//
//nolint:gochecknoglobals // a table, never written
var settings = []string{
	"PATH", "HOME", "TMPDIR", "GORACE",
	"SWITCHYARD_DATA_DIR", "SWITCHYARD_ENDPOINT", "SWITCHYARD_LOG_FORMAT", "SWITCHYARD_LOG_LEVEL",
	"SWITCHYARD_SERVER_LISTEN", "SWITCHYARD_SERVER_PING_INTERVAL", "SWITCHYARD_SERVER_STREAM", "SWITCHYARD_SERVER_KEEP_ALIVE",
	"SWITCHYARD_SERVER_STREAM_MAX_AGE",
	"SWITCHYARD_AGENT_ENDPOINT", "SWITCHYARD_AGENT_MODE", "SWITCHYARD_AGENT_NAME",
}

func start(ts *testscript.TestScript, s *stage, args []string) {
	name, program := args[0], args[1]
	var env []string
	for _, setting := range settings {
		if value := ts.Getenv(setting); value != "" {
			env = append(env, setting+"="+value)
		}
	}
	path := program
	switch program {
	case "switchyard":
		path = filepath.Join(bin, program)
	case peerProgram:
		path, env = filepath.Join(ts.Getenv("WORK"), ".peer", program), peerSettings(ts)
	}
	p, err := startProcess(name, ts.Getenv("WORK"), env, path, args[2:]...)
	ts.Check(err)
	s.processes[name] = p
	s.started = append(s.started, p)
}

func (s *stage) process(ts *testscript.TestScript, name string) *process {
	p := s.processes[name]
	if p == nil {
		ts.Fatalf("no process %q was started", name)
	}
	return p
}

func expect(ts *testscript.TestScript, s *stage, args []string) {
	p := s.process(ts, args[0])
	groups := s.await(ts, p, args[1])
	if len(args) < 3 {
		return
	}
	if len(groups) < 2 {
		ts.Fatalf("the pattern %q has no group for $%s", args[1], args[2])
	}
	ts.Setenv(args[2], groups[1])
}

func (s *stage) await(ts *testscript.TestScript, p *process, pattern string) []string {
	compiled, err := regexp.Compile(pattern)
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	groups, next, ok := p.journal.await(ctx, p.next, compiled)
	if !ok {
		s.fatalf(ts, "%s did not write a line like %q", p.name, pattern)
	}
	p.next = next
	return groups
}

func never(ts *testscript.TestScript, s *stage, args []string) {
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	lines, _ := s.process(ts, args[0]).journal.lines(0)
	if len(lines) == 0 {
		ts.Fatalf("%s has written nothing at all", args[0])
	}
	for _, line := range lines {
		if pattern.MatchString(line) {
			s.fatalf(ts, "%s wrote: %s", args[0], line)
		}
	}
}

func sendSignal(ts *testscript.TestScript, s *stage, args []string) {
	number := map[string]syscall.Signal{"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}[args[1]]
	if number == 0 {
		ts.Fatalf("unknown signal %s", args[1])
	}
	ts.Check(s.process(ts, args[0]).cmd.Process.Signal(number))
}

func end(ts *testscript.TestScript, s *stage, args []string) {
	p := s.process(ts, args[0])
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := p.ended(ctx)
	if err != nil {
		s.fatalf(ts, "%v", err)
	}
	_, err = ts.Stdout().Write(p.stdout)
	ts.Check(err)
	_, err = ts.Stderr().Write(p.stderr)
	ts.Check(err)
	if got != args[1] {
		s.fatalf(ts, "%s ended with %s, want %s", args[0], got, args[1])
	}
}

func ready(ts *testscript.TestScript, s *stage, args []string) {
	address := s.await(ts, s.process(ts, args[0]), `for people and programs +http://(\S+)$`)[1]
	ts.Setenv("SWITCHYARD_SERVER_LISTEN", address)
	ts.Setenv("SWITCHYARD_ENDPOINT", "http://"+address)
	if s.proxy == nil && s.nginx == nil {
		ts.Setenv("SWITCHYARD_AGENT_ENDPOINT", "http://"+address+"/v3")
	}
	if s.front != "" && s.nginx == nil {
		startNginx(ts, s, []string{s.front})
	}
	if s.cut && s.proxy == nil {
		startProxy(ts, s, nil)
		cutRoute(ts, s, []string{streamRoute})
	}
}

func peak(ts *testscript.TestScript, s *stage, args []string) {
	most, err := strconv.Atoi(args[1])
	ts.Check(err)
	got, known := peakMemory(s.process(ts, args[0]).cmd.Process.Pid)
	if !known || raceEnabled {
		return
	}
	ts.Logf("%s had at most %d MiB in memory", args[0], got>>mebibyte)
	if got>>mebibyte >= most {
		ts.Fatalf("%s had %d MiB in memory, want less than %d", args[0], got>>mebibyte, most)
	}
}

// mebibyte is in bits.
const mebibyte = 20

func exits(ts *testscript.TestScript, _ *stage, args []string) {
	got := 0
	err := ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit code %d, want %s", got, args[0])
	}
}

func startProxy(ts *testscript.TestScript, s *stage, _ []string) {
	var err error
	s.proxy, err = faultproxy.Start(context.Background(), ts.Getenv("SWITCHYARD_ENDPOINT"))
	ts.Check(err)
	ts.Setenv("SWITCHYARD_AGENT_ENDPOINT", s.proxy.URL()+"/v3")
}

// streamRoute is the name of the stream's route in scripts.
const streamRoute = "stream"

func route(name string) string {
	if name == streamRoute {
		return agentedgev1connect.AgentEdgeServiceStreamPingsProcedure
	}
	return name
}

func cutRoute(ts *testscript.TestScript, s *stage, args []string) {
	s.proxied(ts).Cut(route(args[0]))
}

func muteRoute(ts *testscript.TestScript, s *stage, args []string) {
	s.proxied(ts).Mute(route(args[0]))
}

func healRoute(ts *testscript.TestScript, s *stage, args []string) {
	s.proxied(ts).Heal(route(args[0]))
}

func (s *stage) proxied(ts *testscript.TestScript) *faultproxy.Proxy {
	if s.proxy == nil {
		ts.Fatalf("there is no proxy; say `proxy` before the agent starts")
	}
	return s.proxy
}
