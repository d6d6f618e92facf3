package dispatch

import (
	"slices"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/metadata"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func (p *plant) value(g JobGrant, key, want string) {
	p.t.Helper()
	got, err := g.MetadataValue(p.t.Context(), key)
	must(p.t, err)
	if got != want {
		p.t.Fatalf("%s is %q, want %q", key, got, want)
	}
}

func TestMetadataSurvivesARestart(t *testing.T) {
	p := newPlant(t, Options{})
	w := p.register("w")
	id := p.submit(record.Job{})
	p.pings(w, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	_, token, err := p.Accept(t.Context(), w, id)
	must(t, err)
	g := p.grant(token)
	must(t, g.SetMetadata(t.Context(), metadata.Item{Key: "a", Value: "1"}, metadata.Item{Key: "b", Value: ""}, metadata.Item{Key: "a", Value: "2"}))
	must(t, g.SetMetadata(t.Context(), metadata.Item{Key: "c", Value: "ü\x00<>"}))
	p.restart()
	g = p.grant(token)
	p.value(g, "a", "2")
	p.value(g, "b", "")
	p.value(g, "c", "ü\x00<>")
	keys, err := g.MetadataKeys(t.Context())
	must(t, err)
	if !slices.Equal(keys, []string{"a", "b", "c"}) {
		t.Errorf("keys are %q", keys)
	}
	_, err = g.MetadataValue(t.Context(), "d")
	wantErr(t, err, ErrNotFound)
}

// Retries of a job, and their retries, read what the first job set.
func TestRetriesShareMetadata(t *testing.T) {
	p := newPlant(t, Options{})
	first := p.run(p.register("w1"), record.Job{Job: lifecycle.Job{RetriesLeft: 2}})
	must(t, first.SetMetadata(t.Context(), metadata.Item{Key: "from", Value: "first"}))
	last := first
	for _, name := range []string{"w2", "w3"} {
		p.pass(schedule.DefaultLeaseTimeout + 2*time.Second) // the worker and its job are lost
		next := p.job(last.JobID).RetriedBy
		worker := p.register(name)
		p.pings(worker, wire.Instruction{Kind: wire.JobAssigned, JobID: next})
		last = p.accept(worker, next)
		p.startJob(last)
		p.value(last, "from", "first")
		must(t, last.SetMetadata(t.Context(), metadata.Item{Key: name, Value: "was set"}))
	}
	if last.BuildID != first.JobID || first.BuildID != first.JobID {
		t.Errorf("the builds are %s and %s, want %s", first.BuildID, last.BuildID, first.JobID)
	}
	p.value(last, "w2", "was set")
}

// The token of an ended job can read, but not change anything.
func TestMetadataOfAnEndedJob(t *testing.T) {
	p := newPlant(t, Options{})
	g := p.run(p.register("w"), record.Job{})
	must(t, g.SetMetadata(t.Context(), metadata.Item{Key: "k", Value: "v"}))
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	wantErr(t, g.SetMetadata(t.Context(), metadata.Item{Key: "k", Value: "w"}), ErrUnauthenticated)
	p.value(g, "k", "v")
}
