package agent

import (
	"slices"
	"sync"
	"time"
)

// heldJobs is the jobs that this process holds: one that a worker runs, and those whose
// result is undelivered. Its methods may be called concurrently.
type heldJobs struct {
	mu          sync.Mutex
	running     map[string]string // by worker
	undelivered []heldJob         // the newest last
}

type heldJob struct {
	id string
	// seen is when the job was last found undelivered.
	seen time.Time
}

func newHeldJobs() *heldJobs { return &heldJobs{running: map[string]string{}} }

// of returns the job that a worker runs, followed by the undelivered ones, the newest
// first.
func (h *heldJobs) of(worker string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var ids []string
	if id, ok := h.running[worker]; ok {
		ids = append(ids, id)
	}
	for _, job := range slices.Backward(h.undelivered) {
		ids = append(ids, job.id)
	}
	return ids
}

// begin notes that a worker runs a job.
func (h *heldJobs) begin(worker, id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running[worker] = id
}

// end notes that a worker has run its job, whose result may be undelivered.
func (h *heldJobs) end(worker string, undelivered bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if undelivered {
		h.addLocked(h.running[worker])
	}
	delete(h.running, worker)
}

// add notes that the result of a job is undelivered.
func (h *heldJobs) add(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.addLocked(id)
}

func (h *heldJobs) addLocked(id string) {
	now := time.Now()
	for i := range h.undelivered {
		if h.undelivered[i].id == id {
			h.undelivered[i].seen = now
			return
		}
	}
	h.undelivered = append(h.undelivered, heldJob{id, now})
}

// undeliveredIDs returns the jobs whose result is undelivered, the newest last.
func (h *heldJobs) undeliveredIDs() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	ids := make([]string, 0, len(h.undelivered))
	for _, job := range h.undelivered {
		ids = append(ids, job.id)
	}
	return ids
}

// remove notes that the result of a job is delivered, or cannot be.
func (h *heldJobs) remove(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.undelivered = slices.DeleteFunc(h.undelivered, func(job heldJob) bool { return job.id == id })
}

// forget removes the undelivered jobs that were last seen before a time: another
// process with the same spool has delivered them.
func (h *heldJobs) forget(before time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.undelivered = slices.DeleteFunc(h.undelivered, func(job heldJob) bool { return job.seen.Before(before) })
}
