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

// The parts of HTTP/2 that these tests need. The tests write frames themselves,
// since the client of a library reads in advance and cannot be made to misbehave.
const (
	h2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	// h2Get is the header block of GET http://x/.
	h2Get = "\x82\x86\x84\x41\x01x"

	h2Data, h2Headers, h2Reset, h2Settings, h2Ping = 0, 1, 3, 4, 6

	h2Ack, h2EndStream, h2EndHeaders = 1, 1, 4

	h2MaxConcurrentStreams, h2MaxHeaderListSize = 3, 6

	// h2Window is how many bytes a peer may send on a stream without a window update.
	h2Window = 1<<16 - 1
)

// h2Frame returns an encoded frame.
func h2Frame(kind, flags byte, stream uint32, payload string) []byte {
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind)) //nolint:gosec // a few bytes
	frame = append(frame, flags)
	frame = binary.BigEndian.AppendUint32(frame, stream)
	return append(frame, payload...)
}

// h2Reader reads frames and acknowledges SETTINGS and PING, but never sends a window
// update.
type h2Reader struct {
	settings map[uint16]uint32
	data     int           // bytes of DATA frames
	reset    chan struct{} // closed when the server resets the stream
}

// h2Ask sends a request and reads in the background until the connection ends.
func h2Ask(t *testing.T, conn net.Conn) *h2Reader {
	t.Helper()
	sends := make(chan []byte, 100)
	go func() {
		for frame := range sends {
			_, _ = conn.Write(frame) // fails at the end of the test
		}
	}()
	sends <- []byte(h2Preface)
	sends <- h2Frame(h2Settings, 0, 0, "")
	sends <- h2Frame(h2Headers, h2EndStream|h2EndHeaders, 1, h2Get)
	r := &h2Reader{settings: map[uint16]uint32{}, reset: make(chan struct{})}
	go func() {
		defer close(sends)
		for r.read(conn, sends) == nil { //nolint:revive // the condition does the work
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

// A peer that answers PINGs and sends no window update gets what fits in its window.
// Then its stream is reset; its connection, which carries other requests, stays.
func TestHTTP2StreamWithoutWindowIsReset(t *testing.T) {
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
			t.Errorf("reset after %v, want %v after the hour of quiet", lasted, streamWriteTimeout)
		}
		if r.data > h2Window {
			t.Errorf("%d bytes were sent into a window of %d", r.data, h2Window)
		}
		synctest.Wait()
		if _, err := conn.Write(h2Frame(h2Ping, 0, 0, "12345678")); err != nil {
			t.Errorf("the connection was closed with its stream: %v", err)
		}
	})
}

// A connection whose peer reads nothing is closed when a write has timed out; if the
// peer also floods it with PINGs, at once.
func TestHTTP2PeerThatReadsNothingIsClosed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		every    time.Duration // between its PINGs
		from, to time.Duration
	}{
		{"a PING each second", time.Second, http2WriteTimeout, http2WriteTimeout + 2*time.Second},
		{"a flood of PINGs", 0, 0, 0},
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
					t.Errorf("closed after %v (%v), want %v to %v", lasted, err, row.from, row.to)
				}
			})
		})
	}
}

// The server announces the limits of concurrent streams and of header size.
func TestHTTP2Settings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conn := servePiped(t, http.NotFoundHandler()).dial()
		defer conn.Close()
		r := h2Ask(t, conn)
		synctest.Wait()
		if got := r.settings[h2MaxConcurrentStreams]; got != maxConcurrentStreams {
			t.Errorf("%d concurrent streams, want %d", got, maxConcurrentStreams)
		}
		// HTTP/2 counts 32 bytes more for each header.
		if got := r.settings[h2MaxHeaderListSize]; got < maxHeaderBytes || got > maxHeaderBytes+1<<10 {
			t.Errorf("%d bytes of headers, want %d or a little more", got, maxHeaderBytes)
		}
	})
}
