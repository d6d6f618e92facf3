package dispatch

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// evil are texts that take many bytes as JSON.
var evil = []string{"<", "\x01", `"`, "\u2028", "x", "ü", "\xff"}

// fill returns a text of size bytes at most.
func fill(unit string, size int) string { return strings.Repeat(unit, size/len(unit)) }

// largestTags returns as much as a job can require.
func largestTags() []string {
	tags := make([]string, wire.MaxRequiredTags)
	for i := range tags {
		tags[i] = fmt.Sprintf("%02d=", i) + fill(`"`, wire.MaxRequiredTag-3)
	}
	return tags
}

// largestJobs returns jobs at the bounds of what is accepted.
func largestJobs() map[string]record.Job {
	jobs := map[string]record.Job{
		"many arguments": {Command: append([]string{"true"}, strings.Split(fill("\x01,", MaxJobSize-100), ",")...)},
		"many variables": {Command: []string{"true"}, Env: map[string]string{}},
	}
	for i := range (MaxJobSize - 100) / 9 {
		jobs["many variables"].Env[fmt.Sprintf("%05d", i)] = "\x01\x01"
	}
	for _, unit := range evil {
		job := record.Job{Command: []string{"true"}, Env: map[string]string{}, IdempotencyKey: fill(unit, MaxIdempotencyKey)}
		for i := range 4 { // 128 KiB each, as much as a process can be given
			job.Env[fmt.Sprintf("V%d", i)] = fill(unit, MaxJobSize/4-16)
		}
		jobs[fmt.Sprintf("variables of %q", unit)] = job
	}
	for name, job := range jobs {
		job.Tags = largestTags()
		job.Queue, job.Priority, job.Timeout = fill("q", maxName), -1<<31, 1<<62
		job.RetriesLeft = wire.MaxRetries
		jobs[name] = job
	}
	return jobs
}

// fits fails the test if a record could not be stored together with texts of more
// bytes.
func fits(t rapid.TB, v any, more int, what string) {
	data, err := record.Encode(v)
	if size := more + len(data); err != nil || size > store.MaxRecord {
		t.Fatalf("%s has %d bytes as stored (%v), want at most %d", what, size, err, store.MaxRecord)
	}
}

// TestRecordsFit drives the records of accepted jobs and workers to their bounds
// through whatever may become of them: each can be stored.
func TestRecordsFit(t *testing.T) {
	t.Run("job", func(t *testing.T) {
		// What never changes is measured once. In a record the two stand side by side.
		texts, submitted := 0, record.Job{}
		for _, job := range largestJobs() {
			must(t, validateJob(job))
			data, err := record.Encode(&job)
			must(t, err)
			texts, submitted = max(texts, len(data)), job
		}
		submitted.Command, submitted.Env, submitted.IdempotencyKey = nil, nil, fill("\x01", MaxIdempotencyKey)
		rapid.Check(t, func(t *rapid.T) { checkLife(t, submitted, texts) })
	})
	t.Run("worker", func(t *testing.T) {
		for _, unit := range evil {
			worker := record.Worker{Name: fill(unit, maxName), Hostname: fill(unit, maxName), Worker: workerstate.Worker{State: workerstate.Available}}
			for {
				larger := worker
				larger.Tags = append(slices.Clip(larger.Tags), fill(unit, 100))
				if _, err := QueueOf(larger); err != nil {
					wantErr(t, err, ErrInvalid)
					break
				}
				worker = larger
			}
			for _, ev := range []workerstate.Event{
				{Kind: workerstate.PauseRequested, Reason: fill(unit, maxReason), By: workerstate.ByOperator, At: time.Now()},
				{Kind: workerstate.StopRequested, Reason: fill(unit, maxReason), NoRetry: true, At: time.Now()},
				{Kind: workerstate.LeaseExpired, At: time.Now()},
			} {
				var err error
				worker, err = workerAfter(worker, ev)
				must(t, err)
				fits(t, &worker, 0, "a worker after "+ev.Kind.String())
			}
		}
	})
}

// checkLife lets anything happen to a job, whose command and environment take texts
// bytes, and checks that each of its records and retries can be stored.
func checkLife(t *rapid.T, submitted record.Job, texts int) {
	text := func(size int) string { return fill(rapid.SampledFrom(evil).Draw(t, "unit"), size) }
	submitted.ID, submitted.BuildID, submitted.RetryOf = newID(), newID(), newID()
	submitted.Limits = wire.Limits{Memory: wire.MaxMemoryLimit, CPUs: 1.0 / 3, PIDs: math.MaxInt32}
	job, err := newJob(submitted, lifecycle.Event{Kind: lifecycle.Submitted, At: time.Now(), Reason: text(2 * maxReason)})
	if err != nil {
		t.Fatal(err)
	}
	name := text(maxName)
	for range 120 {
		ev := lifecycle.Event{
			Kind: rapid.SampledFrom(lifecycle.EventKinds()).Draw(t, "event"), At: time.Now(), Actor: text(1000),
			Reason: text(2 * maxReason), WorkerID: newID(), WorkerName: name, Token: strings.Repeat("x", 64), RetryID: newID(),
			Overdue: rapid.Bool().Draw(t, "overdue"),
			Result: lifecycle.Result{
				ExitStatus: "-9223372036854775808", Signal: text(maxSignal), SignalReason: text(maxSignal),
				ChunksFailed: 1 << 62, LogSize: 1 << 63,
			},
		}
		if job.State.InHand() && rapid.IntRange(0, 9).Draw(t, "same worker") > 0 {
			ev.WorkerID = job.WorkerID
		}
		if rapid.IntRange(0, 9).Draw(t, "go on") > 0 && (ev.Kind == lifecycle.Finished || ev.Kind == lifecycle.CancelRequested) {
			continue // the end of a job is the end of its growth
		}
		if job, err = jobAfter(job, ev); err != nil {
			continue
		}
		fits(t, &job, texts, "a job after "+ev.Kind.String())
		if job.RetriedBy != "" {
			retry := retryOf(job)
			fits(t, &retry, texts, "the retry")
		}
	}
}

// The largest jobs run, from the submission to their end, on a real store.
func TestTheLargestJobsRun(t *testing.T) {
	p := newPlant(t, Options{})
	a, _, err := p.Register(t.Context(), record.Worker{Name: fill("\x01", maxName), Tags: append(largestTags(), "queue="+fill("q", maxName))})
	must(t, err)
	for name, job := range largestJobs() {
		t.Run(name, func(t *testing.T) {
			id := p.submit(job)
			p.pings(a.ID, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
			g := p.accept(a.ID, id)
			p.startJob(g)
			_, err := p.Cancel(t.Context(), id, fill("\x01", maxReason))
			must(t, err)
			must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "-1", Signal: fill("\x01", maxSignal)}))
			p.state(id, wire.StateCanceled)
		})
	}
}

// What a worker tells of its machine is cut, between two characters, and turns no worker
// away.
func TestMachinesAreDescribedBriefly(t *testing.T) {
	p := newPlant(t, Options{})
	long, want := strings.Repeat("ü", maxName), strings.Repeat("ü", maxName/2)
	worker, _, err := p.Register(t.Context(), record.Worker{
		Name: "w", Hostname: long, OS: long, Arch: long, Version: long, Build: long, MachineID: long,
	})
	must(t, err)
	for _, got := range []string{worker.Hostname, worker.OS, worker.Arch, worker.Version, worker.Build, worker.MachineID} {
		if got != want {
			t.Errorf("got %d bytes, %q, want %d", len(got), got, len(want))
		}
	}
}

// A result is stored in one form, and only in bounds.
func TestResultsAreNormalized(t *testing.T) {
	for sent, want := range map[string]string{
		"0": "0", strings.Repeat("0", 200_000): "0", "007": "7", "-001": "-1", "": "-1", "+5": "5",
		"1e3": "", "0x10": "", "5a": "", "9223372036854775808": "",
	} {
		got, err := resultOf(wire.FinishRequest{ExitStatus: sent}, 0, false)
		if want == "" {
			wantErr(t, err, ErrInvalid)
			continue
		}
		must(t, err)
		if got.ExitStatus != want {
			t.Errorf("the exit status %.20q is stored as %q, want %q", sent, got.ExitStatus, want)
		}
	}
	for name, bad := range map[string]wire.FinishRequest{
		"signal": {Signal: fill("x", maxSignal+1)}, "signal reason": {SignalReason: fill("x", maxSignal+1)}, "chunks": {ChunksFailed: -1},
	} {
		if _, err := resultOf(bad, 0, false); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// putFull stores a job, as an earlier version could, whose record has no room for any
// change.
func (p *plant) putFull(job record.Job) record.Job {
	p.t.Helper()
	job.ID, job.Queue = newID(), "default"
	job.Env = map[string]string{"X": ""}
	data, err := record.Encode(&job)
	must(p.t, err)
	const header = 120 // more than the headers of a message take
	job.Env["X"] = strings.Repeat("x", 1<<20-len(data)-header)
	stored, err := p.st.PutJob(p.t.Context(), job)
	must(p.t, err)
	until(p.t, "the record is known", func() (known bool) {
		p.records.view(func(x *schedule.Index) { known = x.KnowsJob(stored.ID, stored.Revision) })
		return known
	})
	return stored
}

// A job whose record cannot be changed does not stop the jobs behind it, is tried
// more and more rarely, fails no ping, and can be canceled.
func TestAJobThatCannotBeAssigned(t *testing.T) {
	for _, polls := range []bool{false, true} {
		t.Run(fmt.Sprintf("polls %t", polls), func(t *testing.T) {
			p := newPlant(t, Options{})
			full := p.putFull(record.Job{Command: []string{"true"}, Job: lifecycle.Job{State: wire.StateQueued}, Priority: 9})
			next := p.submit(record.Job{})
			a := p.register("a")
			if polls {
				p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: next})
			} else {
				p.wants(p.attached(a), wire.Instruction{Kind: wire.JobAssigned, JobID: next})
			}
			p.startJob(p.accept(a, next))
			attempts := func() int {
				p.records.failures.mu.Lock()
				defer p.records.failures.mu.Unlock()
				return p.records.failures.total
			}
			if n := attempts(); n != 1 {
				t.Errorf("%d attempts failed, want one", n)
			}
			if reason := p.WaitingReason(p.job(full.ID)); !strings.Contains(reason, "too large to be stored") {
				t.Errorf("the job waits: %q", reason)
			}
			for range 10 * 60 {
				b := p.register("b") // somebody asks for work every second
				_, err := p.Ping(t.Context(), b)
				must(t, err)
				p.passBeating(time.Second, a)
				must(t, p.Disconnect(t.Context(), b))
			}
			// Waits of 1, 2, 4 ... 256 s, and 300 s.
			if n := attempts(); n < 9 || n > 11 {
				t.Errorf("%d attempts failed in ten minutes", n)
			}
			p.cancel(full.ID, "canceled")
		})
	}
}

// A worker or a job whose record cannot be changed does not keep the others from
// being looked after.
func TestASweepGoesOnPastARecordThatFails(t *testing.T) {
	p := newPlant(t, Options{})
	var running []JobGrant
	for range 3 {
		running = append(running, p.run(p.register("a"), record.Job{Job: lifecycle.Job{RetriesLeft: 1}}))
	}
	for range 3 {
		full := p.putFull(record.Job{Command: []string{"true"}, Job: lifecycle.Job{State: wire.StateRunning, WorkerID: newID(), RetriesLeft: 1}})
		worker := record.Worker{ID: newID(), Name: "full", Queue: "default", Worker: workerstate.Worker{State: workerstate.Available}}
		data, err := record.Encode(&worker)
		must(t, err)
		worker.Hostname = strings.Repeat("x", 1<<20-len(data)-120)
		worker, err = p.st.PutWorker(t.Context(), worker)
		must(t, err)
		until(t, "the records are known", func() (known bool) {
			p.records.view(func(x *schedule.Index) {
				known = x.KnowsWorker(worker.ID, worker.Revision) && x.KnowsJob(full.ID, full.Revision)
			})
			return known
		})
	}
	failed := 0
	for range int(schedule.DefaultLeaseTimeout/time.Second) + 2 {
		p.clock.move(time.Second)
		if err := p.sweeper.sweep(t.Context()); err != nil {
			wantErr(t, err, store.ErrTooLarge)
			failed++
		}
	}
	if failed == 0 || failed > 2 {
		t.Errorf("%d sweeps tried a record that fails, want one or two", failed)
	}
	for _, g := range running {
		p.state(g.JobID, wire.StateLost)
		p.state(p.job(g.JobID).RetriedBy, wire.StateQueued)
	}
}
