package dispatch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// registerWith registers a worker with tags.
func (p *plant) registerWith(name string, tags ...string) string {
	p.t.Helper()
	worker, _, err := p.Register(p.t.Context(), record.Worker{Name: name, Tags: tags})
	must(p.t, err)
	return worker.ID
}

// offered returns the instruction that offers a job.
func offered(id string) wire.Instruction { return wire.Instruction{Kind: wire.JobAssigned, JobID: id} }

// A job is given to workers that have its tags only, on every path, and a job that waits
// for its tags holds up no other one. That holds after a restart, and for its retry.
func TestAJobIsGivenToAWorkerWithItsTags(t *testing.T) {
	p := newPlant(t, Options{})
	plain := p.register("plain")
	feed := p.attached(plain)
	gpu := p.submit(record.Job{Tags: []string{"os=linux", "gpu=*", "os=linux"}, Job: lifecycle.Job{RetriesLeft: 1}})
	p.silent(feed)
	if got, want := p.job(gpu).Tags, []string{"gpu=*", "os=linux"}; !slices.Equal(got, want) {
		t.Errorf("the tags %q are stored, want %q", got, want)
	}
	behind := p.submit(record.Job{})
	p.wants(feed, offered(behind))
	g := p.accept(plain, behind)
	p.startJob(g)
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	polls := p.registerWith("polls", "os=linux", "arch=arm64")
	p.pings(polls, wire.Instruction{Kind: wire.Resume})
	if _, _, err := p.Acquire(t.Context(), polls, gpu); !errors.Is(err, ErrWrongState) ||
		!strings.Contains(err.Error(), "requires tags that worker polls does not have: gpu=*, os=linux") {
		t.Errorf("acquiring a job without its tags: %v", err)
	}
	const none = "no worker in queue default has the tags gpu=* and os=linux"
	job := p.job(gpu)
	if got := p.WaitingReason(job); got != none {
		t.Errorf("the job waits because %q", got)
	}
	if got := job.History.Entries[0].Reason; got != none {
		t.Errorf("its history says that it waits because %q", got)
	}

	p.restart()
	p.pings(polls, wire.Instruction{Kind: wire.Resume})
	if got := p.WaitingReason(job); got != none {
		t.Errorf("after a restart, the job waits because %q", got)
	}
	large := p.registerWith("large", "queue=default", "os=linux", "gpu=a100")
	p.wants(p.attached(large), offered(gpu))
	p.startJob(p.accept(large, gpu))
	p.passBeating(2*schedule.DefaultLeaseTimeout, polls) // the large one is lost
	retry := p.job(gpu).RetriedBy
	if got := p.job(retry).Tags; !slices.Equal(got, job.Tags) {
		t.Errorf("the retry has the tags %q, want %q", got, job.Tags)
	}
	p.pings(polls, wire.Instruction{Kind: wire.Resume})
	p.pings(p.registerWith("larger", "gpu=h100", "os=linux"), offered(retry))
}

// A new job is assigned by the write that stores it, if an idle worker has its tags.
func TestANewJobIsAssignedByItsTags(t *testing.T) {
	p := newPlant(t, Options{})
	p.silent(p.attached(p.register("idle for longer")))
	feed := p.attached(p.registerWith("mac", "os=mac"))
	job, _, err := p.Submit(t.Context(), record.Job{Command: []string{"true"}, Tags: []string{"os=mac"}})
	must(t, err)
	if job.State != wire.StateAssigned || job.WorkerName != "mac" {
		t.Errorf("the job is %s, for %q", job.State, job.WorkerName)
	}
	p.wants(feed, offered(job.ID))
}

// Whichever replica a job is submitted to, the one that has a worker with its tags assigns
// it.
func TestTagsHoldAtEveryReplica(t *testing.T) {
	one, two := twoPlants(t)
	here := one.attached(one.registerWith("here", "os=linux"))
	there := two.attached(two.registerWith("there", "os=mac"))
	mac := one.submit(record.Job{Tags: []string{"os=mac"}})
	two.wants(there, offered(mac))
	linux := two.submit(record.Job{Tags: []string{"os=linux"}})
	one.wants(here, offered(linux))
}

// A job with one more set of tags than the limit allows is refused and not stored; others are
// not, nor is the retry of a job whose tags no other one requires.
func TestOneSetOfTagsTooMany(t *testing.T) {
	p := newPlant(t, Options{})
	worker := p.registerWith("w", "os=linux")
	retried := p.submit(record.Job{Tags: []string{"os=linux"}, Job: lifecycle.Job{RetriesLeft: 1}})
	p.wants(p.attached(worker), offered(retried))
	p.startJob(p.accept(worker, retried))
	p.records.view(func(x *schedule.Index) {
		for n := 0; ; n++ {
			tags := largestTags()
			tags[0] = fmt.Sprintf("00=%d", n)
			if x.CheckTags("default", tags) != nil {
				break
			}
			x.ApplyJob(record.Job{
				ID: fmt.Sprint(n), Queue: "default", Tags: tags, Revision: 1 << 40, Job: lifecycle.Job{State: wire.StateQueued},
			}, p.now(), p.now())
		}
	})
	submit := func(key string, tags ...string) error {
		_, _, err := p.Submit(t.Context(), record.Job{Command: []string{"true"}, Tags: tags, IdempotencyKey: key})
		return err
	}
	one := largestTags()
	one[0] = "00=new"
	for _, key := range []string{"", "one more"} {
		if limit, ok := errors.AsType[*schedule.TagLimitError](submit(key, one...)); !ok || limit.Queue != "default" {
			t.Errorf("one more set: %v", limit)
		}
	}
	if key, err := p.st.Key(t.Context(), "one more"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a job that is refused leaves its key: %+v, %v", key, err)
	}
	if err := submit("none"); err != nil {
		t.Error(err)
	}
	one[0] = "00=0"
	if err := submit("known", one...); err != nil {
		t.Error(err)
	}
	p.pass(2 * schedule.DefaultLeaseTimeout) // the worker is lost
	if retry := p.job(p.job(retried).RetriedBy); !slices.Equal(retry.Tags, []string{"os=linux"}) {
		t.Errorf("the retry requires %q", retry.Tags)
	}
}
