package memnet

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// pipe returns the two sides of a connection. A write never blocks, unlike that of
// net.Pipe: net/http holds a lock while it writes, and in a synctest bubble time
// stops while a goroutine waits for a lock that a blocked writer holds.
func pipe() (one, other *side) {
	there, back := newHalf(), newHalf()
	one = &side{in: back, out: there, reading: newDeadline(), writing: newDeadline()}
	other = &side{in: there, out: back, reading: newDeadline(), writing: newDeadline()}
	return one, other
}

// half is one direction of a connection.
type half struct {
	mu     sync.Mutex
	bytes  []byte
	closed bool          // by either side
	more   chan struct{} // closed, and replaced, at each change
}

func newHalf() *half { return &half{more: make(chan struct{})} }

func (h *half) change(do func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	do()
	close(h.more)
	h.more = make(chan struct{})
}

// take reads what was written. It returns a channel to wait on if that is nothing.
func (h *half) take(b []byte) (n int, more <-chan struct{}, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n = copy(b, h.bytes)
	h.bytes = h.bytes[n:]
	if n == 0 && h.closed {
		return 0, nil, io.EOF
	}
	return n, h.more, nil
}

// side is one end of a connection. It may be used concurrently.
type side struct {
	in, out          *half
	reading, writing *deadline
	once             sync.Once
	closed           atomic.Bool
}

// Read implements [net.Conn].
func (s *side) Read(b []byte) (int, error) {
	for {
		expired := s.reading.expired()
		switch {
		case s.closed.Load():
			return 0, io.ErrClosedPipe
		case isClosed(expired):
			return 0, os.ErrDeadlineExceeded
		}
		n, more, err := s.in.take(b)
		if n > 0 || err != nil || len(b) == 0 {
			return n, err
		}
		select {
		case <-more:
		case <-expired:
		}
	}
}

// Write implements [net.Conn]. It does not block.
func (s *side) Write(b []byte) (int, error) {
	if isClosed(s.writing.expired()) {
		return 0, os.ErrDeadlineExceeded
	}
	written := false
	s.out.change(func() {
		if !s.out.closed {
			s.out.bytes = append(s.out.bytes, b...)
			written = true
		}
	})
	if !written {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

// Close implements [net.Conn]. The other side can still read what was written.
func (s *side) Close() error {
	s.once.Do(func() {
		s.closed.Store(true)
		for _, h := range []*half{s.in, s.out} {
			h.change(func() { h.closed = true })
		}
		s.reading.set(time.Time{})
		s.writing.set(time.Time{})
	})
	return nil
}

// LocalAddr implements [net.Conn].
func (*side) LocalAddr() net.Addr { return address() }

// RemoteAddr implements [net.Conn].
func (*side) RemoteAddr() net.Addr { return address() }

// SetDeadline implements [net.Conn].
func (s *side) SetDeadline(at time.Time) error {
	s.reading.set(at)
	s.writing.set(at)
	return nil
}

// SetReadDeadline implements [net.Conn].
func (s *side) SetReadDeadline(at time.Time) error {
	s.reading.set(at)
	return nil
}

// SetWriteDeadline implements [net.Conn].
func (s *side) SetWriteDeadline(at time.Time) error {
	s.writing.set(at)
	return nil
}
