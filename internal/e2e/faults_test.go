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
	// faultRounds is how often a fault comes and goes, each time over jobsARound
	// of each agent.
	faultRounds = 2
	jobsARound  = 4
	// intoRound is the time, of which a random part passes, from the jobs of a
	// round to its fault.
	intoRound = 400 * time.Millisecond
)

// ways are the settings of how an agent gets its work.
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
	{"poll-only", "auto", polling}, // without a stream, whose protocol is nothing to it
}

// wayKind is what tells in an agent's log how it fares.
type wayKind struct {
	well   *regexp.Regexp // when it is connected
	cutOff *regexp.Regexp // when it has noticed that it is not
}

//nolint:gochecknoglobals // patterns, never written
var (
	streaming = &wayKind{regexp.MustCompile(`"msg":"stream (open|back)"`), regexp.MustCompile(`"event":"StreamLost`)}
	polling   = &wayKind{
		regexp.MustCompile(`"event":"(Answered|JobFinished)`),
		regexp.MustCompile(`"event":"PollFailed|call failed; will retry`),
	}
)

// TestFaults has agents of every mode and protocol run jobs over a wire with a
// fault: each job must run exactly once, and its log arrive whole.
func TestFaults(t *testing.T) {
	t.Parallel()
	skipIfShort(t)
	for _, row := range []struct {
		name   string
		toxics []toxic
		// slows is what the fault costs a small request at least: it stays all the
		// time. One without it breaks connections; it stays until every agent has
		// noticed.
		slows time.Duration
	}{
		{"latency", bothWays("latency", `{"latency": 50}`), 100 * time.Millisecond},
		{"jitter", bothWays("latency", `{"latency": 50, "jitter": 45}`), 10 * time.Millisecond},
		{"bandwidth", bothWays("bandwidth", `{"rate": 8}`), 10 * time.Millisecond}, // kilobytes a second
		{"slicing", bothWays("slicer", `{"average_size": 8, "size_variation": 4, "delay": 200}`), 2 * time.Millisecond},
		{"cut", bothWays("reset_peer", `{"timeout": 0}`), 0},
		// What agents say arrives, and no answer does.
		{"half-open", []toxic{{toAgents, "timeout", `{"timeout": 0}`}}, 0},
		{"black hole", bothWays("timeout", `{"timeout": 0}`), 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), aLoadedMachine)
			defer cancel()
			f := newFleet(ctx, t, "--keep-alive", "1s")
			w := newLink(t, f.listen)
			if row.slows > 0 {
				if err := w.harm(row.toxics); err != nil {
					t.Fatal(err)
				}
				took, err := w.takes(ctx)
				if err != nil || took < row.slows {
					t.Errorf("a request takes %v (%v), want %v at least", took, err, row.slows)
				}
			}
			for _, way := range ways {
				name := way.mode + "-" + way.protocol
				f.join(t, name, w.url(), 2, "--queue", name, "--mode", way.mode, "--stream-protocol", way.protocol)
			}
			jobs, err := f.rounds(ctx, func(well []int) ([]int, error) {
				if row.slows > 0 {
					return well, nil
				}
				return f.breakUntilNoticed(ctx, w, row.toxics)
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

// rounds submits jobs to every agent once all are connected, and disturbs them;
// several times. To disturb takes and returns the positions in the agents' journals
// after which they report that they are connected. It returns the job IDs.
func (f *fleet) rounds(ctx context.Context, disturb func(well []int) ([]int, error)) ([]string, error) {
	var all []string
	well := make([]int, len(f.agents))
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

// breakUntilNoticed has a fault until every agent has noticed, and returns the
// positions in their journals before it went.
func (f *fleet) breakUntilNoticed(ctx context.Context, w *link, toxics []toxic) ([]int, error) {
	pause(ctx, rand.N(intoRound)) //nolint:gosec // no secret
	before := f.positions()
	defer w.heal(ctx)
	if err := w.harm(toxics); err != nil {
		return nil, err
	}
	if err := f.all(ctx, before, func(k *wayKind) *regexp.Regexp { return k.cutOff }); err != nil {
		return nil, fmt.Errorf("noticing: %w", err)
	}
	return f.positions(), nil
}

// positions are where the journals of the agents stand now.
func (f *fleet) positions() []int {
	at := make([]int, len(f.agents))
	for i, agent := range f.agents {
		lines, _ := agent.Journal.Lines(0)
		at[i] = len(lines)
	}
	return at
}

// all waits until each agent has written a line like that, behind its position.
func (f *fleet) all(ctx context.Context, from []int, like func(*wayKind) *regexp.Regexp) error {
	ctx, cancel := context.WithTimeout(ctx, scripttest.Patience)
	defer cancel()
	for i, agent := range f.agents {
		if _, _, ok := agent.Journal.Await(ctx, from[i], like(ways[i].kind)); !ok {
			return fmt.Errorf("%s writes no line like %q", agent.Name, like(ways[i].kind))
		}
	}
	return nil
}

// checkLogs reads what each job has written.
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
			t.Errorf("the log of job %s is %d bytes long, and not the %d that it wrote", id, len(got), want.Len())
		}
	}
}

// reader follows a job for its log alone.
type reader struct {
	deaf
	bytes.Buffer
}

func (r *reader) Log(piece *switchyardv1.LogChunk) error {
	_, err := r.Write(piece.GetData())
	return err //nolint:wrapcheck // it is always nil
}
