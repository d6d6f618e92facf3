package dispatch

import (
	"math"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/joblog"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// runWithToken is run, and returns the job's token too.
func (p *plant) runWithToken(workerID string) (g JobGrant, jobToken string) {
	p.t.Helper()
	id := p.submit(record.Job{})
	p.pings(workerID, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	_, jobToken, err := p.Accept(p.t.Context(), workerID, id)
	must(p.t, err)
	g = p.grant(jobToken)
	p.startJob(g)
	return g, jobToken
}

// The token of a job ends with the job: after it, it serves for a repeated result only,
// where the log is complete.
func TestATokenEndsWithItsJob(t *testing.T) {
	p := newPlant(t, Options{})
	g, jobToken := p.runWithToken(p.register("a"))
	must(t, g.InHand())
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))

	g = p.grant(jobToken)
	wantErr(t, g.InHand(), ErrUnauthenticated)
	wantErr(t, g.Start(t.Context(), time.Time{}), ErrUnauthenticated)
	wantErr(t, g.SetMetadata(t.Context()), ErrUnauthenticated)
	wantErr(t, g.AppendLog(t.Context(), wire.Chunk{Sequence: 1, Data: []byte("x")}), joblog.ErrClosed)
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
}

// The log of a lost job is accepted until its result has arrived: nothing that an
// agent knows is thrown away.
func TestTheLogOfALostJobIsAccepted(t *testing.T) {
	p := newPlant(t, Options{})
	g, jobToken := p.runWithToken(p.register("a"))
	p.pass(schedule.DefaultLeaseTimeout + 2*time.Second)
	p.state(g.JobID, wire.StateLost)
	p.pass(time.Hour)
	g = p.grant(jobToken)
	chunk := wire.Chunk{Sequence: 1, Data: []byte("x")}
	must(t, g.AppendLog(t.Context(), chunk))
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	must(t, g.AppendLog(t.Context(), chunk)) // it is stored
	wantErr(t, g.AppendLog(t.Context(), wire.Chunk{Sequence: 2, Offset: 1, Data: []byte("x")}), joblog.ErrClosed)
	if job := p.job(g.JobID); job.State != wire.StateFinished || !job.Late || job.LogSize != 1 {
		t.Errorf("got %+v", job)
	}
}

// A chunk cannot be further on in the log than the chunks before it reach.
func TestChunksAreBounded(t *testing.T) {
	p := newPlant(t, Options{})
	g := p.run(p.register("a"), record.Job{})
	for name, row := range map[string]struct {
		sequence, offset uint64
		want             error
	}{
		"first":                          {1, 0, nil},
		"first, with an offset":          {1, joblog.MaxChunkSize, ErrInvalid},
		"third, after full chunks":       {3, 2 * joblog.MaxChunkSize, nil},
		"third, too far":                 {3, 3 * joblog.MaxChunkSize, ErrInvalid},
		"no sequence":                    {0, 0, ErrInvalid},
		"an offset of 2^63":              {4, 1 << 63, ErrInvalid},
		"a sequence far ahead":           {joblog.MaxGap + 100, 0, ErrInvalid},
		"a sequence and an offset ahead": {math.MaxUint64, 1 << 63, ErrInvalid},
	} {
		err := g.AppendLog(t.Context(), wire.Chunk{Sequence: row.sequence, Offset: row.offset, Data: []byte("x")})
		if row.want == nil {
			must(t, err)
		} else if err == nil {
			t.Errorf("%s: stored", name)
		}
	}
}

// What an operator paused, neither the worker nor its job resumes.
func TestAnOperatorsPauseIsLiftedByAnOperator(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	_, err := p.Pause(t.Context(), a, "why", workerstate.ByOperator)
	must(t, err)
	for _, by := range []workerstate.PausedBy{workerstate.ByJob, workerstate.ByWorker} {
		_, err = p.Resume(t.Context(), a, by)
		wantErr(t, err, ErrWrongState)
		_, err = p.Pause(t.Context(), a, "mine", by) // does not weaken it
		must(t, err)
	}
	p.pings(a, wire.Instruction{Kind: wire.Pause, Reason: "why"})
	_, err = p.Resume(t.Context(), a, workerstate.ByOperator)
	must(t, err)
	_, err = p.Pause(t.Context(), a, "mine", workerstate.ByJob)
	must(t, err)
	_, err = p.Resume(t.Context(), a, workerstate.ByJob)
	must(t, err)
	p.pings(a, wire.Instruction{Kind: wire.Resume})
}
