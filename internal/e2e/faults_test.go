package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/scripttest"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// faultRounds is how often a fault begins and ends. In each round every agent
	// runs jobsARound jobs.
	faultRounds = 2
	jobsARound  = 4
	// intoRound bounds the random time from the submission of a round's jobs to
	// its fault.
	intoRound = 400 * time.Millisecond
)

// ways lists the settings for how agents get jobs.
//
//nolint:gochecknoglobals // a table, never written
var ways = []struct {
	mode, protocol string
	kind           *wayKind
}{
	{"auto", "grpc", streaming},
	{"auto", "connect", streaming},
	{"stream-only", "grpc", streaming},
	{"stream-only", "connect", streaming},
	{"poll-only", "auto", polling}, // without a stream, the protocol does not matter
}

// wayKind has the lines of an agent's log that show its connection.
type wayKind struct {
	well   *regexp.Regexp // it is connected
	cutOff *regexp.Regexp // it has noticed that it is not connected
}

//nolint:gochecknoglobals // patterns, never written
var (
	streaming = &wayKind{regexp.MustCompile(`"msg":"stream (open|restored)"`), regexp.MustCompile(`"event":"StreamLost`)}
	polling   = &wayKind{
		regexp.MustCompile(`"event":"(Answered|JobFinished)`),
		regexp.MustCompile(`"event":"PollFailed|call failed; will retry`),
	}
)

// TestFaults runs jobs on agents of every mode and protocol over a link with a
// fault: each job must run exactly once, and its log must be complete.
func TestFaults(t *testing.T) {
	t.Parallel()
	skipIfShort(t)
	for _, row := range []struct {
		name   string
		toxics []toxic
		// slows is the least time that a small request takes with the fault, which
		// stays all the time. Zero means that the fault breaks connections, and
		// stays until every agent has noticed.
		slows time.Duration
	}{
		{"latency", bothWays("latency", `{"latency": 50}`), 100 * time.Millisecond},
		{"jitter", bothWays("latency", `{"latency": 50, "jitter": 45}`), 10 * time.Millisecond},
		{"bandwidth", bothWays("bandwidth", `{"rate": 8}`), 10 * time.Millisecond}, // kilobytes a second
		{"slicing", bothWays("slicer", `{"average_size": 8, "size_variation": 4, "delay": 200}`), 2 * time.Millisecond},
		{"cut", bothWays("reset_peer", `{"timeout": 0}`), 0},
		// Requests arrive, and answers do not.
		{"half-open", []toxic{{toAgents, "timeout", `{"timeout": 0}`}}, 0},
		{"black hole", bothWays("timeout", `{"timeout": 0}`), 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
			defer cancel()
			f := newFleet(ctx, t, "--keep-alive", "1s")
			l := newLink(t, f.listen)
			if row.slows > 0 {
				if err := l.harm(row.toxics); err != nil {
					t.Fatal(err)
				}
				took, err := l.takes(ctx)
				if err != nil || took < row.slows {
					t.Errorf("a request takes %v (%v), want %v at least", took, err, row.slows)
				}
			}
			for _, way := range ways {
				name := way.mode + "-" + way.protocol
				f.join(t, name, l.url(), 2, "--queue", name, "--mode", way.mode, "--stream-protocol", way.protocol)
			}
			jobs, err := f.rounds(ctx, func(well []scripttest.Position) ([]scripttest.Position, error) {
				if row.slows > 0 {
					return well, nil
				}
				return f.breakUntilNoticed(ctx, l, row.toxics)
			})
			if err == nil {
				err = f.await(ctx, jobs)
			}
			if err != nil {
				t.Fatal(err)
			}
			f.checkLogs(ctx, t, jobs)
			f.leave(ctx, t)
			f.check(t, jobs)
		})
	}
}

// rounds submits jobs to every agent when all are connected, and calls disturb,
// several times. disturb takes and returns the positions in the agents' journals
// after which they report that they are connected. rounds returns the IDs of the
// jobs.
func (f *fleet) rounds(ctx context.Context, disturb func(well []scripttest.Position) ([]scripttest.Position, error)) ([]string, error) {
	var all []string
	well := make([]scripttest.Position, len(f.agents))
	for round := range faultRounds {
		if err := f.all(ctx, well, func(k *wayKind) *regexp.Regexp { return k.well }); err != nil {
			return nil, fmt.Errorf("connecting: %w", err)
		}
		for _, agent := range f.agents {
			ids, err := f.submit(ctx, jobsARound, &switchyardv1.SubmitJobRequest{
				Command:        []string{"sh", "-c", noteRun + "; seq 500; sleep 0.2; seq 501 1000"},
				Queue:          agent.Name,
				IdempotencyKey: fmt.Sprintf("%s-%d", agent.Name, round),
			})
			if err != nil {
				return nil, err
			}
			all = append(all, ids...)
		}
		var err error
		if well, err = disturb(well); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// breakUntilNoticed adds a fault, waits until every agent has noticed, and removes
// the fault. It returns the positions in their journals before the removal.
func (f *fleet) breakUntilNoticed(ctx context.Context, l *link, toxics []toxic) ([]scripttest.Position, error) {
	pause(ctx, rand.N(intoRound)) //nolint:gosec // no secret
	before := f.positions()
	defer l.heal(ctx)
	if err := l.harm(toxics); err != nil {
		return nil, err
	}
	if err := f.all(ctx, before, func(k *wayKind) *regexp.Regexp { return k.cutOff }); err != nil {
		return nil, fmt.Errorf("noticing: %w", err)
	}
	return f.positions(), nil
}

// positions returns the ends of the agents' journals.
func (f *fleet) positions() []scripttest.Position {
	at := make([]scripttest.Position, len(f.agents))
	for i, agent := range f.agents {
		at[i] = agent.Journal.End()
	}
	return at
}

// all waits until each agent has written a line that matches, after its position.
func (f *fleet) all(ctx context.Context, from []scripttest.Position, like func(*wayKind) *regexp.Regexp) error {
	ctx, cancel := context.WithTimeout(ctx, scripttest.Patience)
	defer cancel()
	for i, agent := range f.agents {
		if _, _, ok := agent.Journal.Await(ctx, from[i], like(ways[i].kind)); !ok {
			return fmt.Errorf("%s wrote no line that matches %q", agent.Name, like(ways[i].kind))
		}
	}
	return nil
}

// checkLogs compares the log of each job with what the job has written.
func (f *fleet) checkLogs(ctx context.Context, t *testing.T, ids []string) {
	t.Helper()
	var want strings.Builder
	for n := 1; n <= 1000; n++ {
		fmt.Fprintln(&want, n)
	}
	for _, id := range ids {
		var log reader
		if _, err := f.client.Follow(ctx, id, client.FollowOptions{}, &log); err != nil {
			t.Errorf("the log of job %s: %v", id, err)
		}
		if got := log.String(); got != want.String() {
			t.Errorf("the log of job %s has %d bytes, want the %d that it wrote", id, len(got), want.Len())
		}
	}
}

// reader follows a job and keeps its log.
type reader struct {
	noEvents
	bytes.Buffer
}

func (r *reader) Log(chunk *switchyardv1.LogChunk) error {
	_, err := r.Write(chunk.GetData())
	return err //nolint:wrapcheck // it is always nil
}
