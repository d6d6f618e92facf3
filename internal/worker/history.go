package worker

import (
	"sync"

	"github.com/switchyard-ci/switchyard/fsm"
)

// HistorySize is the number of records that a worker remembers: about a dozen
// jobs, or half an hour of keep-alives, in about 20 KB.
const HistorySize = 64

// history is a ring of a worker's last records. The zero value is empty. It grows
// with its content, since most workers of a large agent are idle. It may be used
// concurrently.
type history struct {
	mu      sync.Mutex
	records []fsm.Record
	oldest  int // its index, once the ring is full
}

func (h *history) add(r *fsm.Record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.records) < HistorySize {
		h.records = append(h.records, *r)
		return
	}
	h.records[h.oldest] = *r
	h.oldest = (h.oldest + 1) % HistorySize
}

// last returns the newest record; the zero value if nothing has happened.
func (h *history) last() (r fsm.Record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.records); n > 0 {
		r = h.records[(h.oldest+n-1)%n]
	}
	return r
}

// all returns a copy of the records, oldest first.
func (h *history) all() []fsm.Record {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append(append([]fsm.Record(nil), h.records[h.oldest:]...), h.records[:h.oldest]...)
}
