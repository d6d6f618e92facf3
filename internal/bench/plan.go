package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/internal/agent"
)

// plan is what is measured, how much of it, and where.
type plan struct {
	quick       bool
	peer        bool // compare with a bare client and with Buildkite's agent
	rounds      int  // of that comparison
	only        []string
	dir, binary string
	plot        string // the file for the drawing of the storm; empty for none
	profiles    string // the directory for CPU profiles of the control plane in throughput; empty for none

	jobs          int           // run one after the other
	steady        time.Duration // how long jobs arrive steadily
	rate          int           // jobs a second that arrive steadily
	kills         int           // streams to kill
	outage        time.Duration // how long an outage lasts
	fleet         int           // workers that recover together
	crowd         int           // workers in a restart of the control plane
	away          time.Duration // how long that restart takes
	starts        int           // processes to start
	settle        time.Duration // how long an agent is idle before it is measured
	idle          time.Duration // how long CPU time is measured
	kept          int           // jobs in the store of a control plane that starts
	throughput    int           // jobs to submit, run and finish as fast as possible
	syncDelay     time.Duration // how much longer a sync of the control plane takes
	streams       int           // streams on one control plane
	perConnection int           // how many of them share a connection
	depth         int           // jobs in a queue
	silence       bool          // measure the waits of minutes over HTTP/1.1 too
	many          int           // jobs on one agent, after which nothing may be left
	seen          int           // rounds with agents that show more or less of themselves
}

// The conditions of the design's table. With others the outcome of a figure is
// open.
const (
	designOutage = time.Minute
	designIdle   = 30 * time.Second
	designSteady = 3 * time.Minute
	designCrowd  = 1000
	designMany   = 10_000
)

func parse(args []string, stderr io.Writer) (plan, error) {
	var p plan
	var only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&p.quick, "quick", false, "fewer samples and short outages, without the waits of minutes: about two minutes")
	flags.BoolVar(&p.peer, "peer", false,
		"run a bare client, buildkite-agent and switchyard-agent in turn, against a control plane that stores nothing, and nothing else: "+
			"about six minutes, and two to build that agent the first time")
	flags.IntVar(&p.rounds, "rounds", 3, "rounds of -peer")
	flags.StringVar(&only, "only", "", "the `EXPERIMENTS` to run, separated by commas: "+strings.Join(names(), ", "))
	flags.StringVar(&p.dir, "dir", "", "the `DIR` for the store and temporary files; the default is that of the system")
	flags.StringVar(&p.binary, "binary", "", "a switchyard `FILE` to measure instead of building one")
	flags.IntVar(&p.jobs, "jobs", 1000, "jobs to run one after the other")
	flags.DurationVar(&p.steady, "steady", designSteady, "how long jobs arrive steadily")
	flags.IntVar(&p.rate, "rate", 20, "jobs a second that arrive steadily")
	flags.IntVar(&p.kills, "kills", 200, "streams to kill")
	flags.DurationVar(&p.outage, "outage", designOutage, "how long an outage lasts")
	flags.IntVar(&p.fleet, "fleet", 100, "workers that recover from an outage together")
	flags.IntVar(&p.crowd, "crowd", designCrowd, "workers in a restart of the control plane")
	flags.DurationVar(&p.away, "away", 20*time.Second, "how long that restart takes")
	flags.StringVar(&p.plot, "plot", "", "draw the requests around the restart to a `FILE`, as SVG")
	flags.StringVar(&p.profiles, "profiles", "", "record CPU profiles of the control plane in throughput, to files in `DIR`")
	flags.IntVar(&p.starts, "starts", 50, "processes to start and to end")
	flags.DurationVar(&p.settle, "settle", 15*time.Second, "how long an agent is idle before its memory is measured")
	flags.DurationVar(&p.idle, "idle", designIdle, "how long the CPU time of an idle agent is measured")
	flags.IntVar(&p.kept, "kept", designKept, "jobs in the store of a control plane that starts, which take 2 kB of disk each")
	flags.IntVar(&p.throughput, "throughput", 5000, "jobs to run as fast as possible")
	flags.IntVar(&p.many, "many", designMany, "jobs to run on one agent, after which nothing may be left")
	flags.IntVar(&p.seen, "seen", designSeen, "rounds of seen, which take 40 seconds each; fewer than six cannot tell")
	flags.DurationVar(&p.syncDelay, "sync-delay", 0, "how much longer each sync of the stored state takes in throughput, which needs strace")
	flags.IntVar(&p.streams, "streams", designStreams, "streams to open on one control plane")
	flags.IntVar(&p.perConnection, "per-connection", designPerConnection, "how many of them share a connection")
	flags.IntVar(&p.depth, "depth", designDepth, "jobs in the queue of depth")
	flags.BoolVar(&p.silence, "silence", true, "measure a frozen connection over HTTP/1.1 too, which takes four minutes")
	if err := flags.Parse(args); err != nil {
		return plan{}, fmt.Errorf("flags: %w", err)
	}
	if p.peer {
		p.apply(peerPlan(), setFlags(flags))
	}
	if p.quick {
		p.apply(quickPlan(), setFlags(flags))
	}
	if only != "" {
		p.only = strings.Split(only, ",")
	}
	if err := p.validate(); err != nil {
		return p, err
	}
	return p, nil
}

// setFlags returns the names of the flags that were set.
func setFlags(flags *flag.FlagSet) map[string]bool {
	set := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { set[f.Name] = true })
	return set
}

// change sets a value of a plan.
type change func(*plan)

// quickPlan returns the changes for a quick run, by flag.
func quickPlan() map[string]change {
	return map[string]change{
		"jobs":       func(p *plan) { p.jobs = 200 },
		"rounds":     func(p *plan) { p.rounds = 2 },
		keySteady:    func(p *plan) { p.steady = min(p.steady, 20*time.Second) },
		"kills":      func(p *plan) { p.kills = 40 },
		"outage":     func(p *plan) { p.outage = 8 * time.Second },
		"fleet":      func(p *plan) { p.fleet = 50 },
		"crowd":      func(p *plan) { p.crowd = 200 },
		"away":       func(p *plan) { p.away = 5 * time.Second },
		"starts":     func(p *plan) { p.starts = min(p.starts, 15) },
		"settle":     func(p *plan) { p.settle = 5 * time.Second },
		"idle":       func(p *plan) { p.idle = 10 * time.Second },
		"silence":    func(p *plan) { p.silence = false },
		"throughput": func(p *plan) { p.throughput = 2000 },
		"many":       func(p *plan) { p.many = 1000 },
		"seen":       func(p *plan) { p.seen = min(p.seen, 2) },
		"kept":       func(p *plan) { p.kept = 50_000 },
		"streams":    func(p *plan) { p.streams = 2000 },
		"depth":      func(p *plan) { p.depth = 10_000 },
	}
}

// peerPlan returns the changes for a comparison with the peer, by flag. All three programs
// do the same in each round.
func peerPlan() map[string]change {
	return map[string]change{
		"jobs":    func(p *plan) { p.jobs = 300 },
		"kills":   func(p *plan) { p.kills = 60 },
		keySteady: func(p *plan) { p.steady = 15 * time.Second },
		"starts":  func(p *plan) { p.starts = 5 },
		"settle":  func(p *plan) { p.settle = 5 * time.Second },
	}
}

// apply makes the changes, except for flags that were set.
func (p *plan) apply(changes map[string]change, set map[string]bool) {
	for name, change := range changes {
		if !set[name] {
			change(p)
		}
	}
}

// Upper bounds of the flags.
const (
	mostSamples       = 20000
	mostTime          = 10 * time.Minute
	mostRate          = 200
	mostRounds        = 100
	mostWorkers       = 500
	mostCrowd         = agent.MaxSpawn
	mostKept          = 10_000_000
	mostThroughput    = 1_000_000
	mostStreams       = 100_000
	mostPerConnection = 200
	mostSyncDelay     = time.Second
)

func (p *plan) validate() error {
	var errs []error
	for _, n := range []struct {
		name        string
		value, most int
	}{
		{"jobs", p.jobs, mostSamples},
		{"rounds", p.rounds, min(p.jobs, mostRounds)},
		{"rate", p.rate, mostRate},
		{"kills", p.kills, mostSamples},
		{"fleet", p.fleet, mostWorkers},
		{"crowd", p.crowd, mostCrowd},
		{"starts", p.starts, mostSamples},
		{"kept", p.kept, mostKept},
		{"throughput", p.throughput, mostThroughput},
		{"streams", p.streams, mostStreams},
		{"depth", p.depth, mostThroughput},
		{"per-connection", p.perConnection, mostPerConnection},
		{"many", p.many, mostThroughput},
		{"seen", p.seen, mostRounds},
	} {
		if n.value < 1 || n.value > n.most {
			errs = append(errs, fmt.Errorf("-%s is %d, and must be from 1 to %d", n.name, n.value, n.most))
		}
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{{"steady", p.steady}, {"outage", p.outage}, {"away", p.away}, {"settle", p.settle}, {"idle", p.idle}} {
		if d.value < time.Second || d.value > mostTime {
			errs = append(errs, fmt.Errorf("-%s is %v, and must be from 1s to %v", d.name, d.value, mostTime))
		}
	}
	if p.syncDelay < 0 || p.syncDelay > mostSyncDelay {
		errs = append(errs, fmt.Errorf("-sync-delay is %v, and must be from 0s to %v", p.syncDelay, mostSyncDelay))
	}
	for _, name := range p.only {
		if !slices.Contains(names(), name) {
			errs = append(errs, fmt.Errorf("-only names %q, and must name some of %s", name, strings.Join(names(), ", ")))
		}
	}
	return errors.Join(errs...)
}
