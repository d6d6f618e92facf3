package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// contender is a program that is measured.
type contender struct {
	name string
	// command returns the program with its arguments, and variables of its environment.
	command func(r *recorder, dir string, workers int) (argv, env []string, err error)
	resting bool   // it has heartbeats, so that its idle state can be measured
	program string // its file, if its size means something
}

// peerRound is what one program took in one round, by the key of the row.
type peerRound map[string]float64

const (
	burstWorkers = 50
	bursts       = 10
	peerTimeout  = 2 * time.Minute // for one step of one program
)

// jobCommand is the command of each job.
const jobCommand = "true"

// jobProcess is the process of each job: what ours runs for the command, so that the ratios
// are those of the programs alone. No argument has a space.
func jobProcess() []string { return []string{"/bin/sh", "-e", "-c", jobCommand} }

// comparePeer measures a bare client, Buildkite's agent and ours against the same
// recorder, in turn, and prints a table. Only the ratios mean something: figures
// depend on the machine and on what else it does.
func comparePeer(ctx context.Context, p plan, dir string, stdout, stderr io.Writer) error {
	contenders, err := contenders(ctx, p, dir, stderr)
	if err != nil {
		return err
	}
	before := load()
	var rounds [][]peerRound // by round and contender
	for i := range p.rounds {
		var round []peerRound
		for _, c := range contenders {
			fmt.Fprintf(stderr, "round %d of %d: %s ...\n", i+1, p.rounds, c.name)
			got, err := measureContender(ctx, p, c, dir)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			round = append(round, got)
		}
		fmt.Fprintf(stderr, "round %d of %d: idle ...\n", i+1, p.rounds)
		if err := measureRest(ctx, p, contenders, dir, round); err != nil {
			return err
		}
		rounds = append(rounds, round)
	}
	return printPeers(stdout, rounds, before)
}

// contenders returns the bare client, the peer and ours, in this order.
func contenders(ctx context.Context, p plan, dir string, stderr io.Writer) ([]contender, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	fmt.Fprintln(stderr, "building ...")
	peer, err := peerProgram(ctx)
	if err != nil {
		return nil, err
	}
	ours, err := program(ctx, p.binary, dir, "switchyard-agent")
	if err != nil {
		return nil, err
	}
	return []contender{
		{name: "floor", command: func(r *recorder, _ string, workers int) (argv, env []string, err error) {
			return []string{self, floorCommand, r.url, r.certFile, strconv.Itoa(workers)}, nil, nil
		}},
		{name: "peer", resting: true, program: peer, command: func(r *recorder, dir string, workers int) (argv, env []string, err error) {
			// Its bootstrap is a process of its own; the job's process in its place is the least.
			return []string{
				peer, wordStart, "--endpoint", r.url + wire.Prefix, "--token", "t",
				"--name", "bench-%spawn", "--spawn", strconv.Itoa(workers),
				"--build-path", filepath.Join(dir, "builds"), "--hooks-path", dir, "--plugins-path", dir, "--sockets-path", dir,
				"--bootstrap-script", strings.Join(jobProcess(), " "), "--no-color", "--log-level=error",
			}, []string{"SSL_CERT_FILE=" + r.certFile, "HOME=" + dir}, nil
		}},
		ourAgent(ours),
	}, nil
}

// ourAgent returns ours, which is switchyard-agent or switchyard.
func ourAgent(program string) contender {
	command := func(r *recorder, dir string, workers int) (argv, env []string, err error) {
		token, err := r.tokenFile(dir)
		return []string{
			program, "agent", wordStart, "--endpoint", r.url + wire.Prefix, "--token-file", token,
			"--name", "bench", "--spawn", strconv.Itoa(workers),
			"--build-path", filepath.Join(dir, "builds"), "--data-dir", dir, "--ca-file", r.certFile, "--log-level=error",
		}, nil, err
	}
	return contender{name: "ours", resting: true, program: program, command: command}
}

// peerProgram builds Buildkite's agent, which the toolchain keeps, and returns its path.
func peerProgram(ctx context.Context) (string, error) {
	path, err := exec.CommandContext(ctx, "go", "tool", "-n", "-modfile=.tools/peer.mod", "github.com/buildkite/agent/v3").Output()
	if err != nil {
		return "", fmt.Errorf("building buildkite-agent, in the root of the repository: %w", err)
	}
	return strings.TrimSpace(string(path)), nil
}

// measureContender runs every step with one program, but for those without jobs.
func measureContender(ctx context.Context, p plan, c contender, dir string) (peerRound, error) {
	got := peerRound{}
	steps := []struct {
		workers int
		do      func(ctx context.Context, s *stage) error
	}{
		{1, func(ctx context.Context, s *stage) error { return s.dispatch(ctx, p.jobs/p.rounds, got) }},
		{burstWorkers, func(ctx context.Context, s *stage) error { return s.burst(ctx, got) }},
		{steadyWorkers, func(ctx context.Context, s *stage) error {
			if err := s.steady(ctx, p, got); err != nil || !c.resting {
				return err
			}
			return s.reset(ctx, p.kills/p.rounds, got)
		}},
	}
	for _, step := range steps {
		if _, err := onStage(ctx, c, dir, step.workers, step.do); err != nil {
			return nil, err
		}
	}
	var start, stop []time.Duration
	for range p.starts {
		took, err := onStage(ctx, c, dir, 1, func(context.Context, *stage) error { return nil })
		if err != nil {
			return nil, err
		}
		start, stop = append(start, took.start), append(stop, took.stop)
	}
	got[rowStart], got[rowStop] = inMilliseconds(quantile(start, median)), inMilliseconds(quantile(stop, median))
	if c.program != "" {
		info, err := os.Stat(c.program)
		if err != nil {
			return nil, fmt.Errorf("reading the size of a program: %w", err)
		}
		got[rowSize] = float64(info.Size()) / decimalMegabyte
	}
	return got, nil
}

// measureRest measures the programs without jobs, all at the same time: each has processes
// of its own, and they do next to nothing.
func measureRest(ctx context.Context, p plan, contenders []contender, dir string, round []peerRound) error {
	all, ctx := errgroup.WithContext(ctx)
	var mu sync.Mutex
	for i, c := range contenders {
		if !c.resting {
			continue
		}
		for _, workers := range []int{fewWorkers, manyWorkers} {
			all.Go(func() error {
				_, err := onStage(ctx, c, dir, workers, func(ctx context.Context, s *stage) error {
					memory, cpu, err := s.rest(ctx, p)
					mu.Lock()
					defer mu.Unlock()
					round[i][rowMemory+strconv.Itoa(workers)], round[i][rowCPU+strconv.Itoa(workers)] = memory, cpu
					return err
				})
				if err != nil {
					return fmt.Errorf("%s, idle with %d workers: %w", c.name, workers, err)
				}
				return nil
			})
		}
	}
	return all.Wait() //nolint:wrapcheck // as above
}

// stage is one program against one recorder.
type stage struct {
	recorder *recorder
	process  *agentProcess
	dir      string // of the program
	workers  []string
	start    time.Duration // from the start of the process to the first message on a stream of each worker
}

// stageTimes are how long the process of a stage took to start and to end.
type stageTimes struct {
	start time.Duration // as of the stage
	stop  time.Duration // from SIGTERM to its end
}

// onStage starts a program with that many workers, waits for their streams, calls do, and
// ends it.
func onStage(
	ctx context.Context, c contender, parent string, workers int, do func(context.Context, *stage) error,
) (took stageTimes, err error) {
	s, err := openStage(ctx, c, parent, workers)
	if err != nil {
		return took, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	took.start = s.start
	if err := pause(ctx, restTime); err != nil {
		return took, err
	}
	if err := do(ctx, s); err != nil {
		return took, err
	}
	took.stop, err = s.process.leave()
	return took, err
}

// openStage starts a program with that many workers, and waits for their streams. The caller
// must close the stage.
func openStage(ctx context.Context, c contender, parent string, workers int) (s *stage, err error) {
	s = &stage{}
	if s.dir, err = os.MkdirTemp(parent, c.name+"-"); err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	if s.recorder, err = newRecorder(s.dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	argv, env, err := c.command(s.recorder, s.dir, workers)
	if err != nil {
		return nil, err
	}
	if s.process, err = launch(ctx, argv, env); err != nil {
		return nil, err
	}
	first, err := s.process.waitUnlessEnded(ctx, peerTimeout, func(ctx context.Context) (map[string]time.Time, error) {
		return firstMessages(ctx, s.recorder.events, workers)
	})
	if err != nil {
		return nil, err
	}
	for _, at := range first {
		s.start = max(s.start, at.Sub(s.process.started))
	}
	s.workers = s.recorder.connected()
	return s, nil
}

// close ends the program, if it still runs, and its recorder.
func (s *stage) close() error {
	var err error
	if s.process != nil {
		err = s.process.end()
	}
	return errors.Join(err, s.recorder.close())
}

func inMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
