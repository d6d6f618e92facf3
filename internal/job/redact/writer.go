package redact

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// Marker stands in the output where a secret was.
	Marker = "[REDACTED]"
	// MaxForms is the most strings that one Writer looks for, all forms of all
	// secrets together. A secret in one line has about eight, so that is room
	// for two thousand and more; it bounds the memory that a job can make its
	// agent take.
	MaxForms = 20_000
	// maxWindow is how much is looked at in one piece, beside what was held
	// back.
	maxWindow = 64 << 10
	// What may be held back for each byte that is looked for, because of the
	// control sequences between two, and for the secret as a whole. Some tools
	// give each character a colour of its own.
	controlsPerByte, controlsBeside = 32, 1 << 10
)

// ErrTooMany is what Add answers when there are more than MaxForms strings to
// look for.
var ErrTooMany = errors.New("too many secrets")

// Writer hides secrets in what is written through it. Write and Flush are for
// one goroutine at a time, and Add may be called at any time by any.
type Writer struct {
	to  io.Writer
	set atomic.Pointer[set] // nil if there is no secret

	adding sync.Mutex
	wanted map[string]struct{} // the strings of the set

	held    []byte // what waits for more
	covered int    // bytes at its start that belong to a secret whose Marker is written
	spans   []span
	plain   plain
	out     []byte
}

// NewWriter gives a Writer that knows no secret yet.
func NewWriter(to io.Writer) *Writer {
	return &Writer{to: to, wanted: map[string]struct{}{}}
}

// Add makes the Writer hide these secrets in all that is written from now on,
// and in what is held back. Those that are [TooShort] are left out. With an
// error none of them is taken.
func (w *Writer) Add(secrets ...string) error {
	w.adding.Lock()
	defer w.adding.Unlock()
	fresh := map[string]struct{}{}
	for _, secret := range secrets {
		for _, form := range forms(secret) {
			if _, known := w.wanted[form]; !known {
				fresh[form] = struct{}{}
			}
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	if len(w.wanted)+len(fresh) > MaxForms {
		return fmt.Errorf("redact: %w: no more than %d strings are looked for, at about eight a secret", ErrTooMany, MaxForms)
	}
	for form := range w.wanted {
		fresh[form] = struct{}{}
	}
	next, err := newSet(fresh)
	if err != nil {
		return fmt.Errorf("redact: %w", err)
	}
	w.wanted = fresh
	w.set.Store(next)
	return nil
}

// Write passes output on without its secrets. What may be the beginning of one
// is kept for later; all of p is taken all the same, unless there is an error,
// which is that of the writer behind.
func (w *Writer) Write(p []byte) (int, error) {
	for taken := 0; taken < len(p); {
		part := p[taken:min(taken+maxWindow, len(p))]
		if err := w.pass(part, false); err != nil {
			return taken, err
		}
		taken += len(part)
	}
	return len(p), nil
}

// Flush passes on what was held back: nothing will follow that could make it a
// secret.
func (w *Writer) Flush() error { return w.pass(nil, true) }

// pass passes on what is held back and part, as far as that is decided, and
// holds back the rest.
func (w *Writer) pass(part []byte, final bool) error {
	window := part
	if len(w.held) > 0 {
		w.held = append(w.held, part...)
		window = w.held
	}
	decided := len(window)
	w.spans = w.spans[:0]
	if set := w.set.Load(); set != nil {
		decided = w.find(set, window, final)
	}
	err := w.emit(window[:decided])
	w.held = append(w.held[:0], window[decided:]...)
	return err
}

// find finds the secrets in window, and tells up to where all that begin there
// are found.
func (w *Writer) find(set *set, window []byte, final bool) (decided int) {
	w.spans, decided = set.scan(window, w.spans)
	if bytes.IndexByte(window, escape) >= 0 {
		as := len(w.spans)
		w.plain.strip(window, final)
		var open int
		w.spans, open = set.scan(w.plain.text, w.spans)
		if open < len(w.plain.text) {
			// However many control sequences follow, the wait for the rest has
			// an end.
			if open = w.plain.raw(open); len(window)-open <= controlsBeside+controlsPerByte*set.longest {
				decided = min(decided, open)
			}
		}
		for i, found := range w.spans[as:] {
			w.spans[as+i] = span{w.plain.raw(found.start), w.plain.raw(found.end-1) + 1}
		}
		slices.SortFunc(w.spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
		decided = w.plain.outside(decided)
	}
	if final {
		decided = len(window)
	}
	return decided
}

// emit passes text on, with a Marker for the spans that begin in it. A span
// that begins within another is a part of it.
func (w *Writer) emit(text []byte) error {
	if w.covered == 0 && len(w.spans) == 0 {
		return w.write(text)
	}
	w.out = w.out[:0]
	at := w.covered // up to here it is passed on or hidden
	for _, found := range w.spans {
		if found.start >= len(text) {
			break
		}
		if found.start >= at {
			w.out = append(append(w.out, text[at:found.start]...), Marker...)
		}
		at = max(at, found.end)
	}
	if at < len(text) {
		w.out = append(w.out, text[at:]...)
	}
	w.covered = max(at-len(text), 0)
	return w.write(w.out)
}

func (w *Writer) write(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if _, err := w.to.Write(p); err != nil {
		return fmt.Errorf("writing output: %w", err)
	}
	return nil
}
