package schedule

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// nullStream ignores every call.
type nullStream struct{}

func (nullStream) SetStanding(wire.Instruction) {}
func (nullStream) Offer(string)                 {}
func (nullStream) Withdraw(string)              {}
func (nullStream) End(error)                    {}

func TestAnOldRecordDoesNotReviveAJob(t *testing.T) {
	now := time.Now()
	job := func(revision uint64, state wire.JobState, worker string) record.Job {
		return record.Job{ID: "j", Queue: "q", Revision: revision, Job: lifecycle.Job{State: state, WorkerID: worker}}
	}
	for name, do := range map[string]func(x *Index){
		"the end is applied before the watch brings older records": func(x *Index) {
			x.ApplyJob(job(1, wire.StateQueued, ""), now, time.Time{})
			x.ApplyJob(job(3, wire.StateFinished, "a"), now, now)
			x.ApplyJob(job(2, wire.StateRunning, "a"), now, time.Time{})
			x.Reached("j", 2)
			x.Reached("j", 3)
		},
		"a read that took longer than the job": func(x *Index) {
			x.ApplyJob(job(1, wire.StateQueued, ""), now, time.Time{})
			x.ApplyJob(job(2, wire.StateFinished, ""), now, now)
			x.Reached("j", 2)
			x.ApplyJob(job(1, wire.StateQueued, ""), now, time.Time{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := New()
			do(x)
			x.Tidy(now.Add(endedAge+time.Second), time.Hour)
			if len(x.jobs) != 0 || len(x.inHand) != 0 || len(x.queues) != 0 || len(x.ended) != 0 {
				t.Errorf("left: %d jobs, %d in hand, %d queues, %d ended", len(x.jobs), len(x.inHand), len(x.queues), len(x.ended))
			}
		})
	}
}

// A worker may become idle by a sign of life, after which nothing is matched at once. A new
// job does not take it from one that waits, whatever the two require.
func TestANewJobComesAfterThoseThatWait(t *testing.T) {
	now := time.Now()
	queued := lifecycle.Job{State: wire.StateQueued}
	for name, row := range map[string]struct {
		waits, submitted []string
		want             bool
	}{
		"both without tags":             {nil, nil, false},
		"the one that waits has tags":   {[]string{"a=1"}, nil, false},
		"the new one has tags":          {nil, []string{"a=1"}, false},
		"others":                        {[]string{"a=*"}, []string{"a=1"}, false},
		"the worker does not have them": {[]string{"a=2"}, []string{"a=1"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			x := New()
			x.ApplyJob(record.Job{ID: "j", Queue: "q", Tags: row.waits, Revision: 1, Job: queued}, now, time.Time{})
			x.Match()
			x.ApplyWorker(record.Worker{
				ID: "w", Queue: "q", Tags: []string{"a=1"}, Revision: 1, Worker: workerstate.Worker{State: workerstate.Available},
			}, now)
			x.Attach("w", nullStream{})
			if got := x.ClaimIdle("q", row.submitted) != nil; got != row.want {
				t.Errorf("the new job takes the worker: %t, want %t", got, row.want)
			}
		})
	}
}

func TestTidyDropsWorkersThatLeftAndTheirQueues(t *testing.T) {
	now := time.Now()
	x := New()
	left := record.Worker{ID: "a", Queue: "q", Revision: 1, Worker: workerstate.Worker{State: workerstate.Left, LeftAt: now}}
	x.ApplyWorker(left, now)
	x.Reached("a", 1)
	x.Tidy(now.Add(time.Hour), time.Hour)
	if _, known := x.Worker("a"); !known {
		t.Error("a worker was dropped before its retention was over")
	}
	x.Tidy(now.Add(time.Hour+1), time.Hour)
	if len(x.workers) != 0 || len(x.queues) != 0 {
		t.Errorf("%d workers and %d queues are kept", len(x.workers), len(x.queues))
	}
}

// matchingRuns is how often the histories of TestMatching are made: the hundred of one run
// rarely show a lost wake-up.
const matchingRuns = 20

// Whatever is applied in whatever order, no job or worker is claimed twice, no
// worker that must not work is claimed, and no job waits beside an idle worker of
// its queue.
func TestMatching(t *testing.T) {
	someTags := func(t *rapid.T, tags ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(tags), 0, 3, rapid.ID[string]).Draw(t, "tags")
	}
	check := func(t *rapid.T) {
		x := New()
		if rapid.Bool().Draw(t, "as many workers") {
			x.fewWorkers = 0
		}
		now := time.Now()
		var revision uint64
		jobs, workers := map[string]record.Job{}, map[string]record.Worker{}
		var claims []*Claim
		id := func(kind string) string {
			n := 4
			if kind == "q" {
				n = 1 // so that jobs and workers meet
			}
			return kind + fmt.Sprint(rapid.IntRange(0, n).Draw(t, "id"))
		}
		put := func(j record.Job) {
			revision++
			j.Revision = revision
			jobs[j.ID] = j
			x.ApplyJob(j, now, time.Time{})
			x.Reached(j.ID, revision)
		}
		t.Repeat(map[string]func(*rapid.T){
			"submit": func(t *rapid.T) {
				name := id("j")
				if _, known := jobs[name]; !known {
					required, err := wire.RequiredTags(someTags(t, "a=1", "a=2", "b=1", "a=*", "c=1"))
					if err != nil {
						t.Fatal(err)
					}
					put(record.Job{
						ID: name, Queue: id("q"), Tags: required, Priority: rapid.Int32Range(0, 2).Draw(t, "priority"),
						Job: lifecycle.Job{State: wire.StateQueued},
					})
				}
			},
			"worker": func(t *rapid.T) {
				revision++
				name := id("a")
				a := workers[name]
				if a.ID == "" {
					a = record.Worker{ID: name, Queue: id("q"), Tags: someTags(t, "a=1", "a=2", "b=1", "b=2")}
				}
				a.Worker = workerstate.Worker{
					State: rapid.SampledFrom(append(workerstate.States(), workerstate.Available)).Draw(t, "state"),
				}
				a.Revision = revision
				workers[name] = a
				x.ApplyWorker(a, now)
			},
			"stream": func(t *rapid.T) {
				if a := x.workers[id("a")]; a != nil {
					if a.stream == nil {
						x.Attach(a.record.ID, nullStream{})
					} else {
						x.Detach(a.record.ID, a.stream)
					}
				}
			},
			"ping": func(t *rapid.T) {
				if a := x.workers[id("a")]; a != nil {
					if c := x.claimReady(a); c != nil {
						claims = append(claims, c)
					}
				}
			},
			"assigned": func(t *rapid.T) {
				if len(claims) == 0 {
					t.Skip()
				}
				c := claims[0]
				claims = claims[1:]
				stored := rapid.Bool().Draw(t, "stored")
				if j := jobs[c.JobID]; j.State == wire.StateQueued && stored {
					j.State, j.WorkerID = wire.StateAssigned, c.WorkerID
					put(j)
				}
				if !stored && rapid.Bool().Draw(t, "postponed") {
					x.Postpone(c, now.Add(time.Second))
					return
				}
				x.Release(c)
			},
			"sign of life": func(*rapid.T) { x.RenewWorker(id("a"), now) },
			"time passes": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(1, 60).Draw(t, "seconds")) * time.Second)
				x.ExpiredWorkers(now, DefaultLeaseTimeout)
			},
			"tidy": func(t *rapid.T) {
				if rapid.Bool().Draw(t, "later") {
					now = now.Add(groupAge)
				}
				x.resume(now)
				x.tidyGroups(now)
			},
			"pause or resume": func(t *rapid.T) {
				revision++
				name := id("q")
				_, paused := x.QueuePause(name)
				x.ApplyQueuePause(record.QueuePause{Queue: name, Paused: !paused, Revision: revision})
			},
			"forget": func(t *rapid.T) {
				if a := x.workers[id("a")]; a != nil && a.claim == nil && len(a.jobs) == 0 {
					x.ForgetWorker(a.record.ID)
					delete(workers, a.record.ID)
				}
			},
			"submit to an idle worker": func(t *rapid.T) {
				required, _ := wire.RequiredTags(someTags(t, "a=1", "a=*", "b=1"))
				c := x.ClaimIdle(id("q"), required)
				if c == nil {
					return
				}
				if w := x.workers[c.WorkerID]; !wire.HasTags(w.record.Tags, required) {
					t.Fatalf("a worker with %q is claimed for a job that requires %q", w.record.Tags, required)
				}
				x.Release(c)
			},
			"moves": func(t *rapid.T) {
				j, known := jobs[id("j")]
				if !known || j.State.Final() {
					return
				}
				if j.State == wire.StateAssigned && rapid.Bool().Draw(t, "not accepted") {
					j.History = j.History.With(lifecycle.Entry{Event: lifecycle.NotAccepted.String()})
				}
				j.State = rapid.SampledFrom([]wire.JobState{wire.StateQueued, wire.StateCanceled}).Draw(t, "state")
				j.WorkerID = ""
				put(j)
			},
			"": func(t *rapid.T) {
				claims = append(claims, x.Match()...)
				claimedJobs, claimedWorkers := map[string]bool{}, map[string]bool{}
				for _, c := range claims {
					if claimedJobs[c.JobID] || claimedWorkers[c.WorkerID] {
						t.Fatal("claimed twice")
					}
					claimedJobs[c.JobID], claimedWorkers[c.WorkerID] = true, true
					if tags, required := workers[c.WorkerID].Tags, jobs[c.JobID].Tags; !wire.HasTags(tags, required) {
						t.Fatalf("a worker with %q is claimed for a job that requires %q", tags, required)
					}
				}
				for _, j := range x.jobs {
					if _, ready := j.group.ready.Get(j); !ready {
						continue
					}
					for _, w := range j.group.queue.idle.Items() {
						if !x.paused(j.group.queue) && wire.HasTags(w.record.Tags, j.group.required) {
							t.Fatalf("%s with %q waits for %s with %q", j.id, j.group.required, w.record.ID, w.record.Tags)
						}
					}
				}
				checkTags(t, x, now)
				checkContacts(t, x, now)
				for _, q := range x.queues {
					var want [conditionCount]int
					for _, w := range q.workers {
						want[w.condition()]++
					}
					if q.counts != want || len(q.unresponsive) != want[unresponsive] {
						t.Fatalf("queue %s counts %v, want %v", q.name, q.counts, want)
					}
				}
				ready, idle := 0, 0
				for _, q := range x.queues {
					ready += q.plain.ready.Len()
					for _, g := range q.groups {
						ready += g.ready.Len()
					}
					idle += q.idle.Len()
				}
				wantReady, wantIdle := 0, 0
				for _, j := range jobs {
					if _, postponed := x.postponed[x.jobs[j.ID]]; j.State == wire.StateQueued && !claimedJobs[j.ID] && !postponed {
						wantReady++
					}
				}
				for _, a := range x.workers {
					if a.free() && a.stream != nil && a.trust != suspect {
						wantIdle++
						if claimedWorkers[a.record.ID] || a.record.State != workerstate.Available {
							t.Fatalf("%s is free", a.record.ID)
						}
					}
				}
				if ready != wantReady || idle != wantIdle {
					t.Fatalf("%d ready, want %d; %d idle, want %d", ready, wantReady, idle, wantIdle)
				}
			},
		})
	}
	for range matchingRuns {
		rapid.Check(t, check)
	}
}

// checkContacts checks the orders of silence against all workers.
func checkContacts(t *rapid.T, x *Index, now time.Time) {
	silent, away := map[string]bool{}, map[string]bool{}
	x.contacts.silentFor(DefaultLeaseTimeout/2, now, func(w *workerEntry) { silent[w.record.ID] = true })
	x.contacts.awayFor(DefaultLeaseTimeout, now, func(w *workerEntry) { away[w.record.ID] = true })
	for id, w := range x.workers {
		connected := w.record.State.Connected()
		if want := connected && now.Sub(w.seen) > DefaultLeaseTimeout/2; silent[id] != want {
			t.Fatalf("%s, %s and seen %v ago, is silent: %t", id, w.record.State, now.Sub(w.seen), silent[id])
		}
		if want := !connected && now.Sub(w.left) > DefaultLeaseTimeout; away[id] != want {
			t.Fatalf("%s, %s since %v, is away: %t", id, w.record.State, now.Sub(w.left), away[id])
		}
		if !connected && w.quiet {
			t.Fatalf("%s is %s and quiet", id, w.record.State)
		}
	}
	if n := x.contacts.connected.Len() + x.contacts.away.Len(); n != len(x.workers) {
		t.Fatalf("%d of %d workers have a place in an order", n, len(x.workers))
	}
}

// checkTags checks what an index derives from the tags of workers and jobs.
func checkTags(t *rapid.T, x *Index, now time.Time) {
	for _, q := range x.queues {
		for g := range q.woken {
			if q.groups[groupKey(g.required)] != g {
				t.Fatalf("a dropped group that requires %q is woken", g.required)
			}
		}
		x.Stats() // which looks at the groups again
		waiting, unmatched, used := 0, 0, 0
		for _, g := range q.groups {
			connected := false
			var want [conditionCount]int
			for _, w := range q.workers {
				if has := wire.HasTags(w.record.Tags, g.required); has != w.serves(g) {
					t.Fatalf("a worker with %q has %q: %t", w.record.Tags, g.required, !has)
				} else if has && w.record.State.Connected() {
					connected = true
					want[w.condition()]++
				}
			}
			if got := g.isServed(); got != connected {
				t.Fatalf("a connected worker has %q: %t, want %t", g.required, got, connected)
			}
			if got := g.crowd(now); got.counts != want {
				t.Fatalf("of the workers with %q %v are counted, want %v", g.required, got.counts, want)
			}
			if g.live > 0 {
				used += g.size
			}
			if best, _ := g.ready.Min(); g.best != best || (g.filed != nil) != (best != nil) {
				t.Fatalf("a group with %d ready jobs is filed: %t, by the right one: %t", g.ready.Len(), g.filed != nil, g.best == best)
			}
			if g.filed == nil {
				continue
			}
			waiting++
			if !connected {
				unmatched += g.ready.Len()
			}
			for p := g.filed; p != nil; p = p.parent {
				if p.parent == nil && p.tag.filed != p || p.parent != nil && p.parent.parts[p.tag] != p || !slices.Contains(g.tags, p.tag) {
					t.Fatalf("the group that requires %q is filed under %v, where it is not found", g.required, p.tag.key)
				}
			}
			_, filed := g.filed.groups.Get(g)
			if _, ranked := q.ranked(g).Get(g); !filed || !ranked || q.waiting[g.waiting] != g || g.unserved == connected {
				t.Fatalf("the group that requires %q is found: %t and %t, served: %t, want %t", g.required, filed, ranked, !g.unserved, connected)
			}
		}
		if waiting != len(q.waiting) || waiting != q.served.Len()+q.unserved.Len() || unmatched != q.unmatched || used != q.usedBytes {
			t.Fatalf("queue %s: %d groups wait, want %d; %d jobs are unmatched, want %d; %d bytes are used, want %d",
				q.name, len(q.waiting), waiting, q.unmatched, unmatched, q.usedBytes, used)
		}
		for _, tag := range q.tags {
			if tag.filed != nil && tag.filed.empty() {
				t.Fatalf("the tag %v has a place where no group is", tag.key)
			}
			for w := range tag.workers {
				if tag.set != nil && tag.set.word(w.number/wordBits)&w.bit() == 0 || q.byNumber[w.number] != w {
					t.Fatalf("worker %s is not in the set of the tag %v", w.record.ID, tag.key)
				}
			}
			if len(tag.workers) == 0 && tag.groups == 0 {
				t.Fatalf("the tag %v is kept", tag.key)
			}
			if sorted := tag.idle != nil; sorted && tag.groups == 0 || !sorted && tag.groups > 0 && len(tag.workers) > 0 {
				t.Fatalf("the tag %v of %d groups has its idle workers sorted: %t", tag.key, tag.groups, sorted)
			}
			for w := range tag.workers {
				if tag.idle == nil {
					break
				}
				if _, idle := tag.idle.Get(w); idle != (w.idleRank != 0) {
					t.Fatalf("worker %s is idle under the tag %v: %t", w.record.ID, tag.key, idle)
				}
			}
		}
	}
}

func BenchmarkIndexWith100kQueued(b *testing.B) {
	const queued = 100_000
	x := New()
	now := time.Now()
	var revision uint64
	put := func(j record.Job) record.Job {
		revision++
		j.Revision = revision
		x.ApplyJob(j, now, now)
		x.Reached(j.ID, revision)
		return j
	}
	x.ApplyWorker(record.Worker{ID: "a", Queue: "q", Revision: 1, Worker: workerstate.Worker{State: workerstate.Available}}, now)
	for i := range queued {
		put(record.Job{ID: uuid.Must(uuid.NewV7()).String(), Queue: "q", Priority: int32(i % 3), Job: lifecycle.Job{State: wire.StateQueued}})
	}
	a := x.workers["a"]
	for b.Loop() { // a job is submitted, the best is assigned, and ends
		put(record.Job{ID: uuid.Must(uuid.NewV7()).String(), Queue: "q", Job: lifecycle.Job{State: wire.StateQueued}})
		c := x.claimReady(a)
		job := put(record.Job{ID: c.JobID, Queue: "q", Job: lifecycle.Job{State: wire.StateAssigned, WorkerID: "a"}})
		x.Release(c)
		job.State = wire.StateFinished
		put(job)
	}
}
