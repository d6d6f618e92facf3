package dispatch

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard-ci/switchyard/internal/controlplane/joblog"
	"github.com/switchyard-ci/switchyard/internal/controlplane/logstate"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// The chunks that the agent has counted as undelivered are taken after the end, whenever
// they come and whichever replica they reach; then the log is complete.
func TestMissingChunksArriveLate(t *testing.T) {
	p := newPlant(t, Options{})
	g, jobToken := p.runWithToken(p.register("a"))
	p.logs(g, 1, 0, "one ")
	p.logs(g, 3, 8, "three ")
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0", ChunksFailed: 2}))
	p.restart()
	g = p.grant(jobToken)
	missing := func(want int) {
		t.Helper()
		if job := p.job(g.JobID); logstate.Missing(&job.Job, job.Log) != want {
			t.Errorf("%d chunks are missing, want %d", logstate.Missing(&job.Job, job.Log), want)
		}
	}
	missing(2)
	p.logs(g, 4, 14, "four ")
	p.logs(g, 4, 14, "four ") // again
	missing(1)
	p.logs(g, 2, 4, "two ")
	missing(0)
	wantErr(t, g.AppendLog(t.Context(), wire.Chunk{Sequence: 5, Offset: 19, Data: []byte("five")}), joblog.ErrClosed)
	_, end := p.follows(g.JobID, joblog.Options{})
	if diff := cmp.Diff([]string{"finished", "0+0 one ", "0+4 two ", "0+8 three ", "0+14 four "}, end()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// The size of a running log is that of all that has arrived, also where a control plane
// that has just started stores what comes next.
func TestSizeOfALogAfterARestart(t *testing.T) {
	p := newPlant(t, Options{})
	g, jobToken := p.runWithToken(p.register("a"))
	size := func(want uint64) {
		t.Helper()
		job, err := p.Job(t.Context(), g.JobID)
		must(t, err)
		if job.LogSize != want {
			t.Errorf("the log has %d bytes, want %d", job.LogSize, want)
		}
	}
	p.logs(g, 1, 0, "one ")
	p.logs(g, 4, 14, "four ")
	p.logs(g, 3, 8, "three ") // before its predecessor was
	size(19)
	p.restart()
	size(19)
	p.restart()
	g = p.grant(jobToken)
	p.logs(g, 2, 4, "two ")
	size(19)
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	size(19)
}

// A log that was deleted stays deleted, for every writer and reader, and says by whom.
func TestDeletedLog(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	g, jobToken := p.runWithToken(a)
	p.logs(g, 1, 0, "one ")
	_, err := p.DeleteLog(t.Context(), g.JobID, "ann")
	wantErr(t, err, ErrWrongState)
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0", ChunksFailed: 1}))
	deletion, err := p.DeleteLog(t.Context(), g.JobID, "ann")
	must(t, err)
	if deletion.By != "ann" || deletion.Bytes != 4 || !deletion.At.Equal(p.clock.Now()) {
		t.Errorf("got %+v", deletion)
	}
	for range 2 { // before and after a restart
		if again, err := p.DeleteLog(t.Context(), g.JobID, "bob"); err != nil || again.By != "ann" {
			t.Errorf("deleted again: %+v, %v", again, err)
		}
		g = p.grant(jobToken)
		for _, c := range []wire.Chunk{{Sequence: 2, Offset: 4, Data: []byte("two ")}, {Sequence: 1, Data: []byte("one ")}} {
			err := g.AppendLog(t.Context(), c)
			wantErr(t, err, ErrWrongState)
			if !strings.Contains(err.Error(), "its log was deleted by ann at ") {
				t.Errorf("got %v", err)
			}
		}
		_, end := p.follows(g.JobID, joblog.Options{})
		if diff := cmp.Diff([]string{"finished"}, end()); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		p.restart()
	}

	// One that was on its way, in another replica, is not shown.
	_, err = p.st.AppendChunk(t.Context(), g.JobID, wire.Chunk{Sequence: 2, Offset: 4, Data: []byte("two ")})
	must(t, err)
	_, end := p.follows(g.JobID, joblog.Options{})
	if diff := cmp.Diff([]string{"finished"}, end()); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	g = p.grant(jobToken)
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"})) // as before
}

// A follower ends when the log that it reads is deleted.
func TestFollowALogThatIsDeleted(t *testing.T) {
	p := newPlant(t, Options{})
	g := p.run(p.register("a"), record.Job{})
	p.logs(g, 1, 0, "one ")
	p.logs(g, 2, 4, "two ")
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	var got []string
	for event, err := range p.Follow(t.Context(), g.JobID, joblog.Options{}) {
		must(t, err)
		if event.Chunk == nil {
			got = append(got, string(event.Job.State))
			continue
		}
		if got = append(got, string(event.Chunk.Data)); len(got) == 2 {
			_, err := p.DeleteLog(t.Context(), g.JobID, "ann")
			must(t, err)
		}
	}
	if len(got) < 3 || got[0] != "finished" || got[1] != "one " { // the second chunk may be on its way
		t.Errorf("got %q", got)
	}
}
