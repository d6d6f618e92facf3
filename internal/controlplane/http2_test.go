package controlplane

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// HTTP/2 as far as these tests need it. They speak it by hand, because a client
// from a library reads ahead of its caller and cannot be made to misbehave.
const (
	h2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	// h2Get is GET http://x/ in the compression of headers.
	h2Get = "\x82\x86\x84\x41\x01x"

	h2Data, h2Headers, h2Reset, h2Settings, h2Ping = 0, 1, 3, 4, 6

	h2Ack, h2EndStream, h2EndHeaders = 1, 1, 4

	h2MaxConcurrentStreams, h2MaxHeaderListSize = 3, 6

	// h2Window is what a peer may send of a stream before the reader says more.
	h2Window = 1<<16 - 1
)

func h2Frame(kind, flags byte, stream uint32, payload string) []byte {
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind)) //nolint:gosec // a few bytes
	frame = append(frame, flags)
	frame = binary.BigEndian.AppendUint32(frame, stream)
	return append(frame, payload...)
}

// An h2Reader reads what a server sends, and acknowledges what it must, but never
// makes room for more.
type h2Reader struct {
	settings map[uint16]uint32
	data     int           // bytes of the stream
	reset    chan struct{} // closed when the server gives the stream up
}

// h2Ask sends a request, and has the answer read until the connection ends.
func h2Ask(t *testing.T, conn net.Conn) *h2Reader {
	t.Helper()
	sends := make(chan []byte, 100)
	go func() {
		for frame := range sends {
			_, _ = conn.Write(frame) // fails when the test is over
		}
	}()
	sends <- []byte(h2Preface)
	sends <- h2Frame(h2Settings, 0, 0, "")
	sends <- h2Frame(h2Headers, h2EndStream|h2EndHeaders, 1, h2Get)
	r := &h2Reader{settings: map[uint16]uint32{}, reset: make(chan struct{})}
	go func() {
		defer close(sends)
		for r.read(conn, sends) == nil { //nolint:revive // everything happens in the condition
		}
	}()
	return r
}

func (r *h2Reader) read(conn net.Conn, sends chan<- []byte) error {
	var head [9]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return err
	}
	payload := make([]byte, binary.BigEndian.Uint32(head[:4])>>8)
	if _, err := io.ReadFull(conn, payload); err != nil {
		return err
	}
	switch kind, flags := head[3], head[4]; {
	case kind == h2Data:
		r.data += len(payload)
	case kind == h2Reset:
		close(r.reset)
	case kind == h2Settings && flags&h2Ack == 0:
		for ; len(payload) > 0; payload = payload[6:] {
			r.settings[binary.BigEndian.Uint16(payload)] = binary.BigEndian.Uint32(payload[2:])
		}
		sends <- h2Frame(h2Settings, h2Ack, 0, "")
	case kind == h2Ping && flags&h2Ack == 0:
		sends <- h2Frame(h2Ping, h2Ack, 0, string(payload))
	}
	return nil
}

// A reader of a stream that answers PINGs and makes no room is sent what fits in
// its window; then its stream is dropped, and its connection, which carries other
// calls, is not.
func TestHTTP2ReaderThatMakesNoRoomIsDropped(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const quiet = time.Hour
		failed := make(chan error, 1)
		conn := servePiped(t, longLived(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(quiet)
			var err error
			for err == nil {
				_, err = io.WriteString(w, strings.Repeat("x", 1<<10))
				w.(http.Flusher).Flush()
			}
			failed <- err
		}))).dial()
		defer conn.Close()
		began := time.Now()
		r := h2Ask(t, conn)
		<-r.reset
		<-failed
		if lasted := time.Since(began); lasted < quiet+streamWriteTimeout || lasted > quiet+2*streamWriteTimeout {
			t.Errorf("dropped after %v, want %v after the hour of quiet", lasted, streamWriteTimeout)
		}
		if r.data > h2Window {
			t.Errorf("%d bytes were sent ahead of a reader with room for %d", r.data, h2Window)
		}
		synctest.Wait()
		if _, err := conn.Write(h2Frame(h2Ping, 0, 0, "12345678")); err != nil {
			t.Errorf("the connection ended with its stream: %v", err)
		}
	})
}

// A peer that does not even read its connection is gone after the time that a
// write may take; one that meanwhile asks for more and more answers, at once.
func TestHTTP2PeerThatReadsNothingIsDropped(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		every    time.Duration // between its PINGs
		from, to time.Duration
	}{
		{"asks now and then", time.Second, http2WriteTimeout, http2WriteTimeout + 2*time.Second},
		{"asks all the time", 0, 0, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				conn := servePiped(t, http.NotFoundHandler()).dial()
				defer conn.Close()
				began := time.Now()
				_, err := io.WriteString(conn, h2Preface+string(h2Frame(h2Settings, 0, 0, "")))
				for err == nil {
					time.Sleep(row.every)
					_, err = conn.Write(h2Frame(h2Ping, 0, 0, "12345678"))
				}
				if lasted := time.Since(began); !errors.Is(err, io.ErrClosedPipe) || lasted < row.from || lasted > row.to {
					t.Errorf("dropped after %v (%v), want %v to %v", lasted, err, row.from, row.to)
				}
			})
		})
	}
}

// What one connection may ask for at once, and how long its headers may be, is
// told to it at the start.
func TestHTTP2ConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := servePiped(t, http.NotFoundHandler()).dial()
		defer conn.Close()
		r := h2Ask(t, conn)
		synctest.Wait()
		if got := r.settings[h2MaxConcurrentStreams]; got != maxConcurrentStreams {
			t.Errorf("%d streams at once, want %d", got, maxConcurrentStreams)
		}
		// Each header counts 32 bytes more than it has.
		if got := r.settings[h2MaxHeaderListSize]; got < maxHeaderBytes || got > maxHeaderBytes+1<<10 {
			t.Errorf("%d bytes of headers, want %d or a little more", got, maxHeaderBytes)
		}
	})
}
