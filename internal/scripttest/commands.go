package scripttest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// Command is a command of scripts.
type Command struct {
	Name, Usage string
	Least, Most int // numbers of arguments; Most is -1 for no limit
	Run         func(ts *testscript.TestScript, ps *Processes, args []string)
}

// Commands returns the commands of this package and more of them, in the form of
// testscript.Params. A command replaces one of this package with the same name.
func Commands(more ...Command) map[string]func(*testscript.TestScript, bool, []string) {
	all := map[string]func(*testscript.TestScript, bool, []string){}
	for _, c := range append([]Command{
		{"start", "NAME PROGRAM [ARGUMENT...]", 2, -1, start},
		{"expect", "NAME PATTERN [VARIABLE]", 2, 3, expect},
		{"never", "NAME PATTERN", 2, 2, never},
		{"signal", "NAME SIGNAL", 2, 2, sendSignal},
		{"end", "NAME CODE|SIGNAL...", 2, -1, end},
		{"exits", "CODE PROGRAM [ARGUMENT...]", 2, -1, exits},
		{"certificate", "HOST CERT KEY [DAYS]", 3, 4, certificate},
	}, more...) {
		all[c.Name] = func(ts *testscript.TestScript, neg bool, args []string) {
			if neg || len(args) < c.Least || c.Most >= 0 && len(args) > c.Most {
				ts.Fatalf("usage: %s %s", c.Name, c.Usage)
			}
			c.Run(ts, Of(ts), args)
		}
	}
	return all
}

func start(ts *testscript.TestScript, ps *Processes, args []string) {
	ps.Start(ts, args[0], Environment(ts), args[1], args[2:]...)
}

func expect(ts *testscript.TestScript, ps *Processes, args []string) {
	groups := ps.Await(ts, args[0], args[1])
	for _, variable := range args[2:] {
		if len(groups) < 2 {
			ts.Fatalf("the pattern %q has no group for $%s", args[1], variable)
		}
		ts.Setenv(variable, groups[1])
	}
}

func never(ts *testscript.TestScript, ps *Processes, args []string) {
	pattern, err := regexp.Compile(args[1])
	ts.Check(err)
	lines, _ := ps.Get(ts, args[0]).Journal.Lines(0)
	if len(lines) == 0 {
		ts.Fatalf("%s has written nothing", args[0])
	}
	for _, line := range lines {
		if pattern.MatchString(line) {
			ps.Fatalf(ts, "%s wrote: %s", args[0], line)
		}
	}
}

func sendSignal(ts *testscript.TestScript, ps *Processes, args []string) {
	number := signalNumber("SIG" + args[1])
	if number == 0 {
		ts.Fatalf("unknown signal %s", args[1])
	}
	// A process that has ended on its own is seen by its end.
	if err := ps.Get(ts, args[0]).Cmd.Process.Signal(number); !errors.Is(err, os.ErrProcessDone) {
		ts.Check(err)
	}
}

func end(ts *testscript.TestScript, ps *Processes, args []string) {
	p := ps.Get(ts, args[0])
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	got, err := p.Wait(ctx)
	if err != nil {
		ps.Fatalf(ts, "%v", err)
	}
	_, err = ts.Stdout().Write(p.stdout)
	ts.Check(err)
	_, err = ts.Stderr().Write(p.stderr)
	ts.Check(err)
	if !slices.Contains(args[1:], got) {
		ps.Fatalf(ts, "%s ended with %s, want %s", args[0], got, strings.Join(args[1:], " or "))
	}
}

func exits(ts *testscript.TestScript, _ *Processes, args []string) {
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
