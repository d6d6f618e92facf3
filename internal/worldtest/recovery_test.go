package worldtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// recovery is the longest time that a world which behaves may take to end all jobs: silent
// jobs are lost and retried, one after the other.
const recovery = 30 * time.Minute

// behave removes every fault, starts what is down, and waits until every job has ended
// and every result is delivered, or until something is wrong. It returns what was left
// undone after recovery.
func (w *world) behave() error {
	w.faults.heal()
	if w.storage.isDown() {
		must(w.t, w.storage.start())
	}
	for i := range w.replicas {
		w.startReplica(i)
	}
	for i, a := range w.agents {
		a.light()
		if a.hasLeft() {
			a.kill()
			w.agents[i] = w.startAgent(a.machine, uint64(i))
		}
	}
	w.calls.Wait() // a submission may still store a job
	var left error
	for begun := time.Now(); time.Since(begun) < recovery; pass(callTimeout) {
		for i, a := range w.agents {
			if id := a.workerID(); id != "" && !a.hasLeft() {
				w.control("resume", id)
			}
			if a.hasLeft() { // an operator asked it to, just before
				a.kill()
				w.agents[i] = w.startAgent(a.machine, uint64(i))
			}
		}
		if left = w.unfinished(); left == nil || w.isWrong() {
			return nil
		}
	}
	return fmt.Errorf("after %v without faults: %w", recovery, left)
}

// unfinished returns what is not done yet.
func (w *world) unfinished() error {
	jobs := w.storedJobs()
	for id, job := range jobs {
		if waits := job.State == wire.StateQueued && !w.anyHas(job.Tags); !job.State.Final() && !waits {
			return fmt.Errorf("job %s is %s", id, job.State)
		}
		if job.RetriedBy != "" && jobs[job.RetriedBy].ID == "" {
			return fmt.Errorf("job %s has no retry", id)
		}
	}
	for _, a := range w.agents {
		for entry := range a.spool.Undelivered() {
			entry.Close()
			if w.isRevoked(jobs[entry.Job.ID].WorkerID) {
				continue
			}
			return fmt.Errorf("the result of job %s is undelivered", entry.Job.ID)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.unrecorded(jobs)...)
}

// unrecorded returns an error for each result that an agent knew and that is not
// recorded, except for those of workers that were revoked: they are refused. The caller
// holds the lock.
func (w *world) unrecorded(jobs map[string]record.Job) (errs []error) {
	for id, result := range w.results {
		job, want := jobs[id], lifecycle.Result{ExitStatus: result.ExitStatus, Signal: result.Signal, SignalReason: result.SignalReason}
		if _, asked := w.revoked[job.WorkerID]; asked {
			continue
		}
		if !job.Same(want) && (job.LateResult == nil || !job.LateResult.Same(want)) {
			errs = append(errs, fmt.Errorf("job %s ended with %+v, and what is recorded is %+v (%s)", id, want, job.Result, job.State))
		}
	}
	return errs
}

// storedJobs returns the last stored record of each job.
func (w *world) storedJobs() map[string]record.Job { return lastRecords[record.Job](w, "job.") }

// lastRecords returns the last stored record of each ID behind a prefix.
func lastRecords[T any](w *world, prefix string) map[string]T {
	records := map[string]T{}
	for _, message := range w.storage.records(w.ctx, w.t) {
		if id, ok := strings.CutPrefix(message.subject, prefix); ok {
			var value T
			must(w.t, json.Unmarshal(message.data, &value))
			records[id] = value
		}
	}
	return records
}

// check returns every promise that the world has broken, once it has behaved.
func (w *world) check() error {
	errs := []error{checkRecords(w.storage.records(w.ctx, w.t))}
	jobs, workers := w.storedJobs(), lastRecords[record.Worker](w, "worker.")
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, text := range w.wrong {
		errs = append(errs, errors.New(text))
	}
	for _, id := range sorted(w.submitted) {
		if jobs[id].ID == "" {
			errs = append(errs, fmt.Errorf("job %s was acknowledged and is forgotten", id))
		}
	}
	errs = append(errs, w.unrecorded(jobs)...)
	errs = append(errs, w.checkTags(jobs, workers)...)
	for _, id := range sorted(w.revoked) {
		if worker := workers[id]; w.revoked[id] && (!worker.Revoked || worker.State != workerstate.Left) {
			errs = append(errs, fmt.Errorf("the revocation of worker %s was acknowledged, and it is recorded as %s", id, worker.State))
		}
	}
	for id := range w.starts {
		if jobs[id].StartedAt.IsZero() {
			errs = append(errs, fmt.Errorf("job %s was started, and is recorded as %s without a start", id, jobs[id].State))
		}
	}
	return errors.Join(errs...)
}
