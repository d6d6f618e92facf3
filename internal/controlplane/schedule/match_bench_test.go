package schedule

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// fleet is 20,000 workers with streams, and jobs for them.
type fleet struct {
	x        *Index
	now      time.Time
	revision uint64
}

const fleetWorkers, fleetQueued = 20_000, 100_000

func newFleet() *fleet {
	f := &fleet{x: New(), now: time.Now()}
	for i := range fleetWorkers {
		id := fmt.Sprintf("w%d", i)
		f.x.ApplyWorker(record.Worker{
			ID: id, Queue: "q", Revision: 1, Worker: workerstate.Worker{State: workerstate.Available}, Tags: []string{
				"queue=q", "host=" + id, "os=linux", fmt.Sprintf("zone=%d", i%8), fmt.Sprintf("rack=%d", i%200), fmt.Sprintf("rare=%d", i/10),
			},
		}, f.now)
		f.x.Attach(id, nullStream{})
	}
	return f
}

func (f *fleet) put(j record.Job) record.Job {
	f.revision++
	j.Revision = f.revision
	f.x.ApplyJob(j, f.now, f.now)
	f.x.Reached(j.ID, f.revision)
	return j
}

func (f *fleet) submit(tags ...string) {
	f.put(record.Job{ID: uuid.Must(uuid.NewV7()).String(), Queue: "q", Tags: tags, Job: lifecycle.Job{State: wire.StateQueued}})
}

// run stores the assignments that are possible and returns the jobs.
func (f *fleet) run() (jobs []record.Job) {
	for _, c := range f.x.Match() {
		w, _ := f.x.Worker(c.WorkerID)
		jobs = append(jobs, f.put(record.Job{ID: c.JobID, Queue: "q", Tags: f.x.jobs[c.JobID].group.required, Job: lifecycle.Job{
			State: wire.StateAssigned, WorkerID: w.ID,
		}}))
		f.x.Release(c)
	}
	return jobs
}

// BenchmarkBusyFleet measures the end of a job on a fleet that has 100,000 jobs waiting, and
// the submission of another one: the best job for its worker is found.
func BenchmarkBusyFleet(b *testing.B) {
	for name, tags := range map[string]func(i int) []string{
		"no tags":                  func(int) []string { return nil },
		"one tag of all":           func(int) []string { return []string{"os=linux"} },
		"8 zones":                  func(i int) []string { return []string{fmt.Sprintf("zone=%d", i%8)} },
		"200 racks and a system":   func(i int) []string { return []string{"os=linux", fmt.Sprintf("rack=%d", i%200)} },
		"20,000 hosts":             func(i int) []string { return []string{fmt.Sprintf("host=w%d", i%fleetWorkers)} },
		"half that no worker has":  func(i int) []string { return [][]string{nil, {"gpu=a100", "os=linux"}}[i%2] },
		"1,000 that no worker has": func(i int) []string { return [][]string{nil, {fmt.Sprintf("a=%d", i%1000)}}[i%2] },
	} {
		b.Run(name, func(b *testing.B) {
			f := newFleet()
			for i := range fleetWorkers + fleetQueued {
				f.submit(tags(i)...)
			}
			running := f.run()
			for i := 0; b.Loop(); i++ {
				job := running[0]
				running = running[1:]
				job.State = wire.StateFinished
				f.put(job)
				f.submit(tags(i)...)
				running = append(running, f.run()...)
			}
		})
	}
}

// BenchmarkIdleFleet measures a submission to a fleet of idle workers.
func BenchmarkIdleFleet(b *testing.B) {
	for name, tags := range map[string][]string{
		"no tags": nil, "a tag of all": {"os=linux"}, "a tag of ten": {"rare=77"}, "a tag of one": {"host=w19000"},
		"two of a zone": {"rack=9", "zone=1"}, "none has both": {"rack=9", "zone=2"}, "none has two zones": {"os=linux", "zone=1", "zone=2"}, "none has it": {"gpu=a100"},
	} {
		b.Run(name, func(b *testing.B) {
			f := newFleet()
			for b.Loop() {
				if c := f.x.ClaimIdle("q", tags); c != nil {
					f.x.Release(c)
				}
			}
		})
	}
}

// BenchmarkWaitingReason measures the reason of a job whose tags many workers have, where
// workers become busy all the time.
func BenchmarkWaitingReason(b *testing.B) {
	for name, tags := range map[string][]string{"no tags": nil, "all": {"os=linux"}, "a zone": {"os=linux", "zone=1"}} {
		b.Run(name, func(b *testing.B) {
			f := newFleet()
			for b.Loop() {
				f.x.Release(f.x.ClaimIdle("q", nil))
				_ = f.x.WaitingReason("q", tags, f.now)
			}
		})
	}
}
