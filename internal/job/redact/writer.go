package redact

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
)

const (
	// Marker replaces a secret in the output.
	Marker    = "[REDACTED]"
	maxWindow = 64 << 10 // bytes searched at once, besides those held back
	// controlsPerByte and controlsBeside bound what is held back because of
	// control sequences: for each byte of the longest form, and in all. Some
	// tools color each character on its own.
	controlsPerByte, controlsBeside = 32, 1 << 10
)

// Writer replaces secrets in what is written through it. Write and Flush must
// not be called concurrently.
type Writer struct {
	to      io.Writer
	secrets *Secrets

	held    []byte // waits for more output
	covered int    // leading bytes of held that belong to a secret whose Marker is written
	spans   []span
	bare    bare
	out     []byte
}

// NewWriter returns a Writer that hides secrets and writes to to.
func NewWriter(secrets *Secrets, to io.Writer) *Writer {
	return &Writer{to: to, secrets: secrets}
}

// Write passes output on without its secrets and holds back what may be the
// beginning of one. An error is that of the next writer, or that the set cannot be built:
// then nothing is passed on.
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

// Flush passes on what is held back. The text before and after a Flush is
// searched separately.
func (w *Writer) Flush() error { return w.pass(nil, true) }

// pass passes on as much of the bytes held back and of part as is decided, and
// holds back the rest.
func (w *Writer) pass(part []byte, final bool) error {
	if len(w.held)+len(part) == 0 {
		return nil // the set may not be needed at all
	}
	window := part
	if len(w.held) > 0 {
		w.held = append(w.held, part...)
		window = w.held
	}
	decided := len(window)
	w.spans = w.spans[:0]
	set, err := w.secrets.current()
	if err != nil {
		return err // nothing is passed on
	}
	if set != nil {
		decided = w.find(set, window, final)
	}
	err = w.emit(window[:decided])
	w.held = append(w.held[:0], window[decided:]...)
	return err
}

// find stores the secrets of window in w.spans, and returns up to which position
// all secrets that begin there are found.
func (w *Writer) find(set *set, window []byte, final bool) (decided int) {
	w.spans, decided = set.scan(window, w.spans)
	if bytes.IndexByte(window, escape) >= 0 {
		first := len(w.spans)
		w.bare.strip(window, final)
		var undecided int
		w.spans, undecided = set.scan(w.bare.text, w.spans)
		if undecided < len(w.bare.text) {
			// Any number of control sequences may follow; the wait for more text is bounded.
			if undecided = w.bare.original(undecided); len(window)-undecided <= controlsBeside+controlsPerByte*set.longest {
				decided = min(decided, undecided)
			}
		}
		for i, found := range w.spans[first:] {
			w.spans[first+i] = span{w.bare.original(found.start), w.bare.original(found.end-1) + 1}
		}
		slices.SortFunc(w.spans, func(a, b span) int { return cmp.Compare(a.start, b.start) })
		decided = w.bare.outside(decided)
	}
	if final {
		decided = len(window)
	}
	return decided
}

// emit writes text with a Marker for each span that begins in it. Spans that
// overlap share one Marker.
func (w *Writer) emit(text []byte) error {
	if w.covered == 0 && len(w.spans) == 0 {
		return w.write(text)
	}
	w.out = w.out[:0]
	at := w.covered // text before at is written or hidden
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
