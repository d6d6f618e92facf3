package e2e_test

import (
	"context"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/switchyard-ci/switchyard/internal/faultproxy"
	"github.com/switchyard-ci/switchyard/internal/scripttest"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
)

// commands returns the commands of scripts: those of package scripttest, and those
// that the documentation of this package lists.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return scripttest.Commands([]scripttest.Command{
		{Name: "start", Usage: "NAME PROGRAM [ARGUMENT...]", Least: 2, Most: -1, Run: start},
		{Name: "terminal", Usage: "NAME PROGRAM [ARGUMENT...]", Least: 2, Most: -1, Run: startInTerminal},
		{Name: "hangup", Usage: "NAME", Least: 1, Most: 1, Run: hangUp},
		{Name: "ready", Usage: "NAME", Least: 1, Most: 1, Run: ready},
		{Name: "peak", Usage: "NAME MIB", Least: 2, Most: 2, Run: peak},
		{Name: "proxy", Usage: "[VARIABLE]", Most: 1, Run: startProxy},
		{Name: "nginx", Usage: "FRONT", Least: 1, Most: 1, Run: startNginx},
		{Name: "nats", Usage: "VARIABLE", Least: 1, Most: 1, Run: startNATS},
		{Name: "repository", Usage: "MODULE", Least: 1, Most: 1, Run: serveRepository},
		{Name: "cut", Usage: "stream|PATH", Least: 1, Most: 1, Run: onRoute((*faultproxy.Proxy).Cut)},
		{Name: "mute", Usage: "stream|PATH", Least: 1, Most: 1, Run: onRoute((*faultproxy.Proxy).Mute)},
		{Name: "call", Usage: "STATUS TOKEN METHOD PATH [BODY]", Least: 4, Most: 5, Run: callAgentAPI},
		{Name: "field", Usage: "NAME VARIABLE", Least: 2, Most: 2, Run: answerField},
		{Name: "respond", Usage: "stream|PATH STATUS RETRY-AFTER [BODY]", Least: 3, Most: 4, Run: respond},
		{Name: "heal", Usage: "stream|PATH", Least: 1, Most: 1, Run: onRoute((*faultproxy.Proxy).Heal)},
	}...)
}

func start(ts *testscript.TestScript, ps *scripttest.Processes, args []string) {
	env := scripttest.Environment(ts)
	if args[1] == peerProgram {
		env = peerSettings(ts)
	}
	ps.Start(ts, args[0], env, args[1], args[2:]...)
}

func startInTerminal(ts *testscript.TestScript, ps *scripttest.Processes, args []string) {
	ps.StartInTerminal(ts, args[0], scripttest.Environment(ts), args[1], args[2:]...)
}

func hangUp(ts *testscript.TestScript, ps *scripttest.Processes, args []string) {
	ts.Check(ps.Get(ts, args[0]).HangUp())
}

func ready(ts *testscript.TestScript, ps *scripttest.Processes, args []string) {
	address := ps.Await(ts, args[0], `for people and programs +http://(\S+)$`)[1]
	ts.Setenv("SWITCHYARD_SERVER_LISTEN", address)
	ts.Setenv("SWITCHYARD_ENDPOINT", "http://"+address)
	b := middleOf(ts)
	if b.proxy == nil && b.nginx == nil {
		ts.Setenv("SWITCHYARD_AGENT_ENDPOINT", "http://"+address+wire.Prefix)
	}
	if b.front != "" && b.nginx == nil {
		startNginx(ts, ps, []string{b.front})
	}
	if b.cut && b.proxy == nil {
		startProxy(ts, ps, nil)
		b.proxy.Cut(route(streamRoute))
	}
}

func peak(ts *testscript.TestScript, ps *scripttest.Processes, args []string) {
	most, err := strconv.Atoi(args[1])
	ts.Check(err)
	got, known := peakMemory(ps.Get(ts, args[0]).Cmd.Process.Pid)
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

func startProxy(ts *testscript.TestScript, _ *scripttest.Processes, args []string) {
	b := middleOf(ts)
	proxy, err := faultproxy.Start(context.Background(), ts.Getenv("SWITCHYARD_ENDPOINT"))
	ts.Check(err)
	if len(args) > 0 {
		b.more[args[0]] = proxy
		ts.Setenv(args[0], proxy.URL()+wire.Prefix)
		return
	}
	b.proxy = proxy
	ts.Setenv("SWITCHYARD_AGENT_ENDPOINT", proxy.URL()+wire.Prefix)
}

// streamRoute is the name of the stream's route in scripts.
const streamRoute = "stream"

func route(name string) string {
	if name == streamRoute {
		return agentedgev1connect.AgentEdgeServiceStreamPingsProcedure
	}
	return name
}

// onRoute returns a command that does something to a route of the proxy.
func onRoute(do func(*faultproxy.Proxy, string)) func(*testscript.TestScript, *scripttest.Processes, []string) {
	return func(ts *testscript.TestScript, _ *scripttest.Processes, args []string) {
		b := middleOf(ts)
		proxy, path := b.proxy, args[0]
		if variable, rest, _ := strings.Cut(path, "/"); b.more[variable] != nil {
			proxy, path = b.more[variable], "/"+rest
		}
		if proxy == nil {
			ts.Fatalf("there is no proxy; use `proxy` before the agent starts")
		}
		do(proxy, route(path))
	}
}

// respond makes the proxy answer requests for a route.
func respond(ts *testscript.TestScript, ps *scripttest.Processes, args []string) {
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	retryAfter, err := strconv.Atoi(args[2])
	ts.Check(err)
	answer := faultproxy.Answer{Status: status, RetryAfter: retryAfter, Body: `{"message":"answered by the proxy"}`}
	if len(args) > 3 {
		answer.Body = args[3]
	}
	onRoute(func(p *faultproxy.Proxy, route string) { p.Respond(route, answer) })(ts, ps, args)
}

// programPath returns the path of the program under test.
func programPath() string { return filepath.Join(bin, "switchyard") }
