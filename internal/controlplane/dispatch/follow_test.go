package dispatch

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard-ci/switchyard/internal/controlplane/joblog"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

var causes = map[joblog.Cause]string{
	joblog.Undelivered: "undelivered", joblog.NotArrived: "not arrived", joblog.NotKept: "not kept", joblog.NotInBackup: "not in backup",
}

// follows collects a follower's events as lines. It returns a function that waits
// for a line, and one that waits for the end and returns all lines.
func (p *plant) follows(id string, o joblog.Options) (wait func(prefix string), end func() []string) {
	lines := make(chan string)
	ctx, cancel := context.WithTimeout(p.t.Context(), 20*time.Second)
	go func() {
		defer cancel()
		defer close(lines)
		for event, err := range p.Follow(ctx, id, o) {
			line := fmt.Sprint("error ", err)
			switch {
			case event.Job != nil:
				line = string(event.Job.State)
			case event.Chunk != nil:
				line = fmt.Sprintf("%d+%d %s", event.Missing, event.Chunk.Offset, event.Chunk.Data)
				if event.Cause != joblog.NoCause {
					line += " (" + causes[event.Cause] + ")"
				}
			}
			lines <- line
		}
	}()
	var got []string
	wait = func(prefix string) {
		p.t.Helper()
		for line := range lines {
			got = append(got, line)
			if strings.HasPrefix(line, prefix) {
				return
			}
		}
		p.t.Fatalf("the follower ended without %q: %q", prefix, got)
	}
	end = func() []string {
		for line := range lines {
			got = append(got, line)
		}
		return got
	}
	return wait, end
}

func (p *plant) logs(g JobGrant, sequence, offset int, data string) {
	p.t.Helper()
	must(p.t, g.AppendLog(p.t.Context(), wire.Chunk{Sequence: uint64(sequence), Offset: uint64(offset), Data: []byte(data)}))
}

func TestFollowFromTheBeginningToTheEnd(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	id := p.submit(record.Job{})
	wait, end := p.follows(id, joblog.Options{})
	wait("queued")
	p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	wait("assigned")
	g := p.accept(a, id)
	wait("accepted")
	p.startJob(g)
	wait("running")
	p.logs(g, 1, 0, "one ")
	wait("0+0 one")
	p.logs(g, 3, 8, "three") // before its predecessor
	p.logs(g, 2, 4, "two ")
	p.logs(g, 1, 0, "one ") // again
	wait("0+8 three")
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	want := []string{"queued", "assigned", "accepted", "running", "0+0 one ", "0+4 two ", "0+8 three", "finished"}
	if diff := cmp.Diff(want, end()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if got := p.job(id).LogSize; got != 13 {
		t.Errorf("the log has %d bytes, want 13", got)
	}
}

func TestFollowAnEndedJob(t *testing.T) {
	for name, row := range map[string]struct {
		o      joblog.Options
		failed int
		want   []string
	}{
		"all":           {joblog.Options{}, 1, []string{"finished", "0+0 one ", "4+8 three (undelivered)"}},
		"no log":        {joblog.Options{OmitLog: true}, 1, []string{"finished"}},
		"from a chunk":  {joblog.Options{LogOffset: 8}, 1, []string{"finished", "0+8 three"}},
		"from between":  {joblog.Options{LogOffset: 2}, 1, []string{"finished", "0+2 e ", "4+8 three (undelivered)"}},
		"from a gap":    {joblog.Options{LogOffset: 5}, 1, []string{"finished", "3+8 three (undelivered)"}},
		"past the end":  {joblog.Options{LogOffset: 99}, 1, []string{"finished"}},
		"not waiting":   {joblog.Options{NoWait: true}, 1, []string{"finished", "0+0 one ", "4+8 three (undelivered)"}},
		"nobody counts": {joblog.Options{}, 0, []string{"finished", "0+0 one ", "4+8 three (not kept)"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, Options{})
			g := p.run(p.register("a"), record.Job{})
			p.logs(g, 3, 8, "three")
			p.logs(g, 1, 0, "one ")
			must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0", ChunksFailed: row.failed}))
			p.restart()
			_, end := p.follows(g.JobID, row.o)
			if diff := cmp.Diff(row.want, end()); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// What is not kept any more is reported, also where nothing is left.
func TestFollowALogThatIsNotKept(t *testing.T) {
	p := newPlant(t, Options{})
	g := p.run(p.register("a"), record.Job{})
	p.logs(g, 1, 0, "one ")
	p.logs(g, 2, 4, "two ")
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0", ChunksFailed: 1}))
	must(t, p.st.DeleteLog(t.Context(), g.JobID)) // as when it expires
	for offset, want := range map[uint64][]string{
		0: {"finished", "8+8  (not kept)"},
		6: {"finished", "2+8  (not kept)"},
		8: {"finished"},
	} {
		_, end := p.follows(g.JobID, joblog.Options{LogOffset: offset})
		if diff := cmp.Diff(want, end()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
	}
}

// A chunk of a running job may be on its way, for a bounded time; that of a job that has
// ended is not waited for.
func TestFollowWaitsForAMissingChunkForABoundedTime(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	g := p.run(a, record.Job{})
	wait, end := p.follows(g.JobID, joblog.Options{})
	wait("running")
	p.logs(g, 2, 4, "two ")
	p.logs(g, 3, 8, "three")
	p.pass(DefaultLogGrace / 2)
	_, snapshot := p.follows(g.JobID, joblog.Options{NoWait: true})
	if diff := cmp.Diff([]string{"running", "4+4 two  (not arrived)", "0+8 three"}, snapshot()); diff != "" {
		t.Errorf("without waiting (-want +got):\n%s", diff)
	}
	p.logs(g, 1, 0, "one ")
	wait("0+8 three")
	p.logs(g, 5, 17, "five ")
	reported := make(chan struct{})
	go func() {
		defer close(reported)
		wait("4+17 five  (not arrived)")
	}()
	for waiting := true; waiting; {
		for range 20 { // the grace begins when the follower has read the chunk
			must(t, p.st.Reachable(t.Context()))
		}
		p.passBeating(time.Second, a)
		select {
		case <-reported:
			waiting = false
		default:
		}
	}
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0", ChunksFailed: 1}))
	want := []string{"running", "0+0 one ", "0+4 two ", "0+8 three", "4+17 five  (not arrived)", "finished"}
	if diff := cmp.Diff(want, end()); diff != "" {
		t.Errorf("with a late chunk (-want +got):\n%s", diff)
	}
}

func TestFollowOfALostJobWaitsForNothing(t *testing.T) {
	p := newPlant(t, Options{})
	g := p.run(p.register("a"), record.Job{})
	p.logs(g, 1, 0, "one ")
	p.pass(schedule.DefaultLeaseTimeout + 2*time.Second)
	_, end := p.follows(g.JobID, joblog.Options{})
	if diff := cmp.Diff([]string{"lost", "0+0 one "}, end()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestFollowReportsANewWaitingReason(t *testing.T) {
	p := newPlant(t, Options{})
	id := p.submit(record.Job{})
	var a string
	changes := []struct {
		change func()
		waits  string
	}{
		{func() {}, "no worker is connected in queue default"},
		{func() { a = p.register("a"); must(t, p.Connect(t.Context(), a)) }, "a worker in queue default is free, and will be given the job when it polls"},
		{func() { _, err := p.Pause(t.Context(), a, "why", workerstate.ByOperator); must(t, err) }, "the one worker in queue default is paused"},
		{func() { must(t, p.Disconnect(t.Context(), a)) }, "no worker is connected in queue default"},
	}
	told := make(chan string)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	go func() {
		defer close(told)
		for event, err := range p.Follow(ctx, id, joblog.Options{}) {
			if err != nil {
				return
			}
			told <- event.WaitingReason
		}
	}()
	for _, c := range changes {
		c.change()
		p.pass(time.Second)
		if got := <-told; got != c.waits {
			t.Errorf("got waiting reason %q, want %q", got, c.waits)
		}
	}
	p.pass(time.Second) // nothing has changed, so nothing is reported
	cancel()
	if got, more := <-told; more {
		t.Errorf("reported without a change: %q", got)
	}
}

func TestFollowEnds(t *testing.T) {
	p := newPlant(t, Options{})
	drain := func(ctx context.Context, id string, each func()) (err error) {
		for event, e := range p.Follow(ctx, id, joblog.Options{}) {
			if err = e; event.Job != nil {
				each()
			}
		}
		return err
	}
	wantErr(t, drain(t.Context(), newID(), func() {}), ErrNotFound)
	id := p.submit(record.Job{})
	ctx, cancel := context.WithCancel(t.Context())
	wantErr(t, drain(ctx, id, cancel), context.Canceled)
	for range p.Follow(t.Context(), id, joblog.Options{}) {
		break // the reader stops
	}
	wantErr(t, drain(t.Context(), id, func() { go p.Close() }), ErrClosed)
}

func TestLogChunksAreRefusedByField(t *testing.T) {
	p := newPlant(t, Options{})
	g := p.run(p.register("a"), record.Job{})
	for _, c := range []wire.Chunk{
		{Sequence: 0, Data: []byte("x")},
		{Sequence: 1, Data: make([]byte, joblog.MaxChunkSize+1)},
		{Sequence: 1, Offset: ^uint64(0), Data: []byte("xx")},
	} {
		wantErr(t, g.AppendLog(t.Context(), c), ErrInvalid)
	}
	must(t, g.AppendLog(t.Context(), wire.Chunk{Sequence: 1}))
	must(t, g.AppendLog(t.Context(), wire.Chunk{Sequence: 1, Data: make([]byte, joblog.MaxChunkSize)}))
	if got := p.job(g.JobID).LogSize; got != joblog.MaxChunkSize {
		t.Errorf("the log has %d bytes", got)
	}
	p.state(g.JobID, wire.StateRunning)
}
