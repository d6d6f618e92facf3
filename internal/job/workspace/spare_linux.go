package workspace

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	// maxSpares is the most spare directories.
	maxSpares = 64
	// entriesRead are the bytes of entries that are read at once of a directory which should
	// be empty: enough for itself and its parent.
	entriesRead = 512
)

// spares are directories for later jobs, so that a job need not wait until one is made. On ext4
// that takes the longer the more files were removed in the last seconds, of which there are many
// if each job's directory is removed. So a directory that a job has left as it got it is taken
// back, and each other one is replaced after it was removed. Methods may be called
// concurrently, and on nil, which holds nothing.
type spares struct {
	dir string // in the claim; made with the first spare directory

	mu     sync.Mutex
	ready  []spare
	used   map[string]state // of the directories that jobs have, as they got them, by path
	named  int              // spare directories so far
	closed bool
}

// spare is a directory as it was made, or as a job has left it.
type spare struct {
	path  string
	state state
}

// state is what changes with anything that is done to a directory, or in it. The time is
// enough unless it is done in the moment in which the state is read: on Linux before 6.13 the
// clock of files has steps of some milliseconds.
type state struct {
	inode, links uint64
	mode, owner  uint32
	changed      unix.Timespec
	attributes   int // bytes of the names of extended ones, of which access lists are some
}

func newSpares(claim string) *spares {
	return &spares{dir: filepath.Join(claim, sparesDir), used: map[string]state{}}
}

// moveTo moves a spare directory to a path where nothing is. It reports false if it cannot:
// then the caller makes a directory.
func (s *spares) moveTo(path string) bool {
	one, ok := s.take()
	if !ok {
		return false
	}
	if now, err := stateOf(one.path); err != nil || now != one.state { // a job found it: removed with the claim
		return false
	}
	return unix.Renameat2(unix.AT_FDCWD, one.path, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE) == nil
}

// use notes that a job gets a directory. The caller calls takeBack or forget later.
func (s *spares) use(path string) {
	if s == nil {
		return
	}
	now, err := stateOf(path)
	if err != nil {
		return // it is not taken back
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[path] = now
}

// forget notes that a directory is not taken back.
func (s *spares) forget(path string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.used, path)
}

// takeBack makes the directory of a job that has ended a spare one, if the job has left it as
// it got it. It reports false if not: then the caller removes what is at the path, if there
// is anything.
func (s *spares) takeBack(path string) bool {
	to, before, ok := s.nameFor(path)
	if !ok {
		return false
	}
	if now, err := stateOf(path); err != nil || now != before {
		return false
	}
	err := unix.Renameat2(unix.AT_FDCWD, path, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.ENOENT) && os.Mkdir(s.dir, ownerOnly) == nil { // the first one
		err = unix.Renameat2(unix.AT_FDCWD, path, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	}
	if err != nil {
		return false
	}
	now, err := stateOf(to)
	before.changed = now.changed // by the move
	if err == nil && now == before && isEmpty(to) {
		s.add(spare{to, now})
	} // else it is removed with the claim
	return true
}

// replace makes a spare directory, after one that was not taken back.
func (s *spares) replace() {
	if s == nil {
		return
	}
	s.mu.Lock()
	path, wanted := s.nextPath(), s.wantsMore()
	s.mu.Unlock()
	if !wanted {
		return
	}
	if one, err := makeSpare(path); err == nil { // else a job makes its own
		s.add(one)
	}
}

// add adds a spare directory, unless there are enough: then it is removed with the claim.
func (s *spares) add(one spare) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wantsMore() {
		s.ready = append(s.ready, one)
	}
}

// wantsMore reports whether another spare directory is wanted. The caller holds the lock.
func (s *spares) wantsMore() bool { return len(s.ready) < maxSpares && !s.closed }

// nameFor returns the path for a directory that is taken back, and its state before the job.
// It reports false if it is not taken back.
func (s *spares) nameFor(path string) (to string, before state, ok bool) {
	if s == nil {
		return "", before, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before, ok = s.used[path]
	delete(s.used, path)
	return s.nextPath(), before, ok && s.wantsMore()
}

// nextPath returns a path for another spare directory. The caller holds the lock.
func (s *spares) nextPath() string {
	s.named++
	return filepath.Join(s.dir, strconv.Itoa(s.named))
}

// take takes a spare directory, if there is one.
func (s *spares) take() (one spare, ok bool) {
	if s == nil {
		return one, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.ready)
	if n == 0 {
		return one, false
	}
	one, s.ready = s.ready[n-1], s.ready[:n-1]
	return one, true
}

func makeSpare(path string) (spare, error) {
	if err := os.MkdirAll(filepath.Dir(path), ownerOnly); err != nil {
		return spare{}, err //nolint:wrapcheck // it is not reported
	}
	if err := os.Mkdir(path, ownerOnly); err != nil {
		return spare{}, err //nolint:wrapcheck // as above
	}
	now, err := stateOf(path)
	return spare{path, now}, err
}

// stateOf returns the state of the directory at a path.
func stateOf(path string) (state, error) {
	var status unix.Stat_t
	if err := unix.Lstat(path, &status); err != nil {
		return state{}, err //nolint:wrapcheck // it is not reported
	}
	attributes, err := unix.Llistxattr(path, nil)
	if err != nil && !errors.Is(err, unix.ENOTSUP) {
		return state{}, err //nolint:wrapcheck // as above
	}
	return state{
		inode: status.Ino, links: uint64(status.Nlink), mode: status.Mode, owner: status.Uid, //nolint:unconvert // depends on the system
		changed: status.Ctim, attributes: attributes,
	}, nil
}

// isEmpty reports whether a directory has nothing in it.
func isEmpty(path string) bool {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(fd) }() // only read
	buf := make([]byte, entriesRead)
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err != nil || n <= 0 {
			return err == nil
		}
		if _, count, _ := unix.ParseDirent(buf[:n], 1, nil); count > 0 { // not those two
			return false
		}
	}
}

// close ends the making of spare directories, which are removed with the claim.
func (s *spares) close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}
