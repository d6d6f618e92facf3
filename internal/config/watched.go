package config

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"
)

// checkInterval is the least time between two looks at the files of a value.
const checkInterval = time.Second

// Watched is a value that is read from files, and read again when they change. There
// is no goroutine: [Watched.Current] looks at the files. Its methods may be called
// concurrently.
type Watched[T any] struct {
	files  []NamedFile
	parse  func(contents [][]byte) (T, error)
	notify func(error)

	mu       sync.Mutex
	value    T
	contents [][]byte
	seen     []fs.FileInfo // of the files when they were read or refused; nil for a missing one
	checked  time.Time
}

// NamedFile is a file that the operator has named.
type NamedFile struct {
	Kind string // for errors, such as "authorities file"
	Name string // empty for a file without content
}

// NewWatched reads a value from files, each of at most 1 MiB. parse makes a value of the
// contents. notify is called after the value was replaced, with nil, or when changed files
// cannot be used, with the reason; the value stays then. Neither may call a method of the
// Watched, which is locked.
func NewWatched[T any](files []NamedFile, parse func(contents [][]byte) (T, error), notify func(error)) (*Watched[T], error) {
	w := &Watched[T]{files: files, parse: parse, notify: notify}
	_, err := w.read()
	return w, err
}

// Current returns the value. It is at most a second older than the files.
func (w *Watched[T]) Current() T {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.checked) < checkInterval {
		return w.value
	}
	w.checked = time.Now()
	if slices.EqualFunc(w.seen, w.look(), sameFile) {
		return w.value
	}
	if changed, err := w.read(); changed || err != nil {
		w.notify(err)
	}
	return w.value
}

// Reload reads the files now, and reports whether the value was replaced. On error,
// which names the file, it stays.
func (w *Watched[T]) Reload() (changed bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.read()
}

// read reads the files. The caller holds the lock.
func (w *Watched[T]) read() (changed bool, err error) {
	w.seen, w.checked = w.look(), time.Now() // before the contents: what is written meanwhile is seen next time
	contents := make([][]byte, len(w.files))
	for i, file := range w.files {
		if file.Name == "" {
			continue
		}
		if contents[i], err = readLimited(file.Name, maxFileSize); err != nil {
			return false, fmt.Errorf("%s %s: %w", file.Kind, file.Name, err)
		}
	}
	if w.contents != nil && slices.EqualFunc(contents, w.contents, bytes.Equal) {
		return false, nil
	}
	value, err := w.parse(contents)
	if err != nil {
		return false, err
	}
	w.value, w.contents = value, contents
	return true, nil
}

// look returns the state of the files.
func (w *Watched[T]) look() []fs.FileInfo {
	states := make([]fs.FileInfo, len(w.files))
	for i, file := range w.files {
		if file.Name != "" {
			states[i], _ = os.Stat(file.Name) // the error shows again when the file is read
		}
	}
	return states
}

// sameFile reports whether two states are of one file that was not written between
// them.
func sameFile(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
