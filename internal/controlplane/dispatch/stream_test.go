package dispatch

import (
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

func TestAJobGoesDownTheStream(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	feed := p.attached(a)
	id := p.submit(Submission{})
	p.wants(feed, Instruction{Kind: JobAssigned, JobID: id})
	g := p.accept(a, id)
	p.startJob(g)
	second := p.submit(Submission{})
	p.silent(feed)
	must(t, g.Finish(t.Context(), Result{ExitStatus: "0"}))
	p.state(id, store.JobFinished)
	p.wants(feed, Instruction{Kind: JobAssigned, JobID: second})
}
