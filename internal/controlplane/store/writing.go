package store

import (
	"bytes"
	"sync"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

// writing are the records of jobs that this process is storing. The watch delivers most of
// them before the write returns, and they need not be decoded then: that is a tenth of what
// a job costs. Its methods may be called concurrently.
type writing struct {
	mu   sync.Mutex
	jobs map[string]writtenJob // by ID
}

// writtenJob is a record, and its stored form.
type writtenJob struct {
	job  record.Job
	data []byte
}

func newWriting() writing { return writing{jobs: map[string]writtenJob{}} }

// begin notes a record until the write of data, its stored form, has ended. Of several
// writes of one job the last one is known.
func (w *writing) begin(job record.Job, data []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.jobs[job.ID] = writtenJob{job, data}
}

// end ends begin.
func (w *writing) end(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.jobs, id)
}

// find returns the record of a job that is stored as data, if it is being written.
func (w *writing) find(id string, data []byte) (job record.Job, found bool) {
	w.mu.Lock()
	written, found := w.jobs[id]
	w.mu.Unlock()
	return written.job, found && bytes.Equal(written.data, data)
}
