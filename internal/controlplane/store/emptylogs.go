package store

import "sync"

// maxEmptyLogs bounds for how many live jobs it is remembered that they have no log.
const maxEmptyLogs = 64 << 10

// emptyLogs are jobs of which it is known that they have no log: those that this process
// has stored and stores no chunk of, where no other one writes. The end of a job needs not
// read the store for it then. Its methods may be called concurrently.
type emptyLogs struct {
	sole bool // no other process writes; else nothing is known

	mu   sync.Mutex
	jobs map[string]bool // whether the job is stored, by ID
}

// begin notes that a new job is about to be stored, which may exist already.
func (e *emptyLogs) begin(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sole && len(e.jobs) < maxEmptyLogs {
		if e.jobs == nil {
			e.jobs = map[string]bool{}
		}
		e.jobs[id] = false
	}
}

// stored notes that the job of begin was stored, and is new.
func (e *emptyLogs) stored(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, still := e.jobs[id]; still { // no chunk was stored meanwhile
		e.jobs[id] = true
	}
}

// forget notes that the job may have a log, or has ended.
func (e *emptyLogs) forget(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.jobs, id)
}

// has reports whether a job is known to have no log.
func (e *emptyLogs) has(id string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.jobs[id]
}
