package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"
)

const (
	designSeen = 15 // rounds
	// seenBlocks is how many times the agents of a round take turns, with seenJobs each time.
	// Turns are short, so that what else the machine does costs all agents the same.
	seenBlocks, seenJobs = 50, 12
	seenWarm             = 50 // jobs before the first turn
	// seenSettle is how long agents have no job before they are measured without one, and
	// seenIdle for how long. They have no heartbeat meanwhile, and so nothing to do.
	seenSettle, seenIdle = 3 * time.Second, 10 * time.Second
	seenHeartbeat        = 3600 // seconds between two
	seenMoment           = 100 * time.Millisecond
	seenRest             = 20 * time.Millisecond // after the last job of a turn

	// The most that each part may cost. The least that the third one can tell apart from
	// nothing is a wake-up in ten seconds.
	seenCPU     = 2.0 // percent of the CPU time of a job, without that of its process
	seenMemory  = 1.0 // MiB
	seenWakeUps = 0.1 // a second
)

// shown is what an agent shows of itself.
type shown struct {
	name                    string
	history, socket, listen bool
}

// shownParts returns the agents of a round. The first shows nothing, and the others are
// compared with it. One of these is its equal: its differences are those of the measurement.
func shownParts() []shown {
	return []shown{
		{name: "nothing"},
		{name: "nothing, too"},
		{name: "history", history: true},
		{name: "status", socket: true, listen: true},
		{name: withAll, history: true, socket: true, listen: true},
	}
}

// withAll is the name of the agent whose differences are the figures.
const withAll = "both"

// seenCost is what an agent cost in a round.
type seenCost struct {
	cpu     float64 // of a job, in microseconds
	memory  float64 // in MiB
	wakeUps float64 // a second without jobs
}

// measureSeen measures what the history and the status of an agent cost: each beside an agent
// without them, in rounds with new processes. The program is switchyard-agent: the store in
// the other one wakes up every second for itself.
func measureSeen(ctx context.Context, l *lab) ([]result, error) {
	binary, err := program(ctx, l.plan.binary, l.dir, "switchyard-agent")
	if err != nil {
		return nil, err
	}
	var rounds [][]seenCost
	for range l.plan.seen {
		round, err := l.seenRound(ctx, binary)
		if err != nil {
			return nil, err
		}
		rounds = append(rounds, round)
	}
	return seenResults(rounds, l.plan.seen >= designSeen), nil
}

// seenRound runs the agents at the same time, and assigns jobs to them in turn. The order is
// drawn each time: an agent that waited longer, or that follows another one, finds less of what
// it needs in the caches of the processors, and must not always be the same.
func (l *lab) seenRound(ctx context.Context, binary string) (costs []seenCost, err error) {
	parts := shownParts()
	stages := make([]*stage, len(parts))
	defer func() {
		for _, s := range stages {
			if s != nil {
				err = errors.Join(err, s.close())
			}
		}
	}()
	for _, i := range rand.Perm(len(parts)) {
		part := parts[i]
		s, err := openStage(ctx, part.contender(binary), l.dir, fewWorkers)
		if err != nil {
			return nil, err
		}
		stages[i] = s
		if _, err := s.cpuOfJobs(ctx, seenWarm); err != nil { // what only the first jobs cost
			return nil, err
		}
		if err := part.check(ctx, s); err != nil {
			return nil, err
		}
	}
	costs = make([]seenCost, len(parts))
	if err := idleCosts(ctx, stages, costs); err != nil {
		return nil, err
	}
	for range seenBlocks {
		for _, i := range rand.Perm(len(stages)) {
			cpu, err := stages[i].cpuOfJobs(ctx, seenJobs)
			if err != nil {
				return nil, err
			}
			costs[i].cpu += float64(cpu.Microseconds()) / (seenBlocks * seenJobs)
		}
	}
	return costs, nil
}

// idleCosts measures agents without jobs. What one of their threads does often wakes others:
// a moment in which any of them ran is one wake-up.
func idleCosts(ctx context.Context, stages []*stage, costs []seenCost) error {
	if err := pause(ctx, seenSettle); err != nil {
		return err
	}
	last := make([]int64, len(stages))
	for moment := range int(seenIdle/seenMoment) + 1 {
		if err := pause(ctx, seenMoment); err != nil {
			return err
		}
		for i, s := range stages {
			slept, err := timesSlept(s.process.cmd.Process.Pid)
			if err != nil {
				return err
			}
			if moment > 0 && slept != last[i] {
				costs[i].wakeUps += 1 / seenIdle.Seconds()
			}
			last[i] = slept
		}
	}
	for i, s := range stages {
		memory, err := residentMemory(s.process.cmd.Process.Pid)
		if err != nil {
			return err
		}
		costs[i].memory = float64(memory) / megabyte
	}
	return nil
}

// cpuOfJobs returns the CPU time that the agent uses for some jobs, one after the other,
// without that of their processes.
func (s *stage) cpuOfJobs(ctx context.Context, jobs int) (time.Duration, error) {
	before, err := cpuTime(s.process.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	for range jobs {
		if _, err := s.runJobs(ctx, s.workers); err != nil {
			return 0, err
		}
	}
	if err := pause(ctx, seenRest); err != nil {
		return 0, err
	}
	after, err := cpuTime(s.process.cmd.Process.Pid)
	return after - before, err
}

// The files of the agent's directory in its data directory.
const seenHistory, seenSocket = "agents/1/history.jsonl", "agents/1/status.sock"

// contender returns the agent. What it does not show fails, because something is in the way of
// its file: the agent runs without, and there is no option for it.
func (p shown) contender(program string) contender {
	ours := ourAgent(program)
	command := ours.command
	ours.command = func(r *recorder, dir string, workers int) (argv, env []string, err error) {
		r.heartbeat = seenHeartbeat
		if argv, env, err = command(r, dir, workers); err != nil {
			return nil, nil, err
		}
		for file, shows := range map[string]bool{seenHistory: p.history, seenSocket: p.socket} {
			if shows {
				continue
			}
			if err := os.MkdirAll(filepath.Join(dir, file, "in-the-way"), privateDir); err != nil {
				return nil, nil, fmt.Errorf("making an agent without a part: %w", err)
			}
		}
		if p.listen {
			address, err := freeAddress(context.Background())
			if err != nil {
				return nil, nil, err
			}
			argv = append(argv, "--status-listen", address)
		}
		return argv, env, nil
	}
	return ours
}

// check returns an error if the agent of a stage does not show what it is to show, or more.
func (p shown) check(ctx context.Context, s *stage) error {
	history, err := os.Stat(filepath.Join(s.dir, seenHistory))
	if err != nil {
		return fmt.Errorf("agent with %s: %w", p.name, err)
	}
	socket, err := os.Stat(filepath.Join(s.dir, seenSocket))
	if err != nil {
		return fmt.Errorf("agent with %s: %w", p.name, err)
	}
	if history.IsDir() == p.history || socket.IsDir() == p.socket {
		return fmt.Errorf("agent with %s: history %v, socket %v", p.name, !history.IsDir(), !socket.IsDir())
	}
	if at := slices.Index(s.process.cmd.Args, "--status-listen"); at > 0 {
		wire := &http.Transport{DisableKeepAlives: true}
		return get(ctx, wire, "http://"+s.process.cmd.Args[at+1]+"/healthz")
	}
	return nil
}

// seenResults returns the figures of the agent with all, and a note for each part.
func seenResults(rounds [][]seenCost, asDesigned bool) []result {
	results := make([]result, 0, len(seenFigures()))
	for _, figure := range seenFigures() {
		r := result{key: figure.key, samples: len(rounds)}
		for i, part := range shownParts() {
			differences, of := make([]float64, 0, len(rounds)), make([]float64, 0, len(rounds))
			for _, round := range rounds {
				of = append(of, figure.of(round[0]))
				differences = append(differences, figure.difference(round[0], round[i]))
			}
			if i == 0 {
				r.notes = append(r.notes, fmt.Sprintf("an agent that shows nothing: %.2f %s", medianInterval(of).median, figure.unitOfValue))
				continue
			}
			got := medianInterval(differences)
			word := got.against(figure.bound)
			if part.name == withAll {
				r.value, r.outcome = got.words(figure.unit)+": "+word, open
				if word != cannotTell {
					r.outcome = outcomeOf(asDesigned, word == within)
				}
				continue
			}
			r.notes = append(r.notes, fmt.Sprintf("%s: %s: %s", part.name, got.words(figure.unit), word))
		}
		results = append(results, r)
	}
	return results
}

// seenFigure is one of the costs.
type seenFigure struct {
	key, unit, unitOfValue string
	bound                  float64 // the most that a difference may be
	of                     func(seenCost) float64
	difference             func(base, other seenCost) float64
}

func seenFigures() []seenFigure {
	return []seenFigure{
		{
			key: keySeenCPU, unit: "%", unitOfValue: "µs a job", bound: seenCPU, of: func(c seenCost) float64 { return c.cpu },
			difference: func(base, other seenCost) float64 { return 100 * (other.cpu/base.cpu - 1) },
		},
		{
			key: keySeenMemory, unit: "MiB", unitOfValue: "MiB", bound: seenMemory, of: func(c seenCost) float64 { return c.memory },
			difference: func(base, other seenCost) float64 { return other.memory - base.memory },
		},
		{
			key: keySeenIdle, unit: "a second", unitOfValue: "a second", bound: seenWakeUps, of: func(c seenCost) float64 { return c.wakeUps },
			difference: func(base, other seenCost) float64 { return other.wakeUps - base.wakeUps },
		},
	}
}
