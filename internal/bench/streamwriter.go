package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"

	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
)

// grpcPrefix is the length of what stands before each message: a flag and the
// message's length in four bytes (gRPC over HTTP/2, "Length-Prefixed-Message").
const (
	grpcPrefix     = 5
	grpcCompressed = 1 // of the flag; gzip is the one compression of our control plane
)

// streamWriter notes when each message of a stream was about to be written.
type streamWriter struct {
	http.ResponseWriter

	spoken  func(sight)
	without string // a header to leave out

	began  time.Time // the first byte of partial
	buffer []byte
}

// Write passes the bytes on, and looks at them afterwards: the time that counts
// is that before the write.
func (w *streamWriter) Write(p []byte) (int, error) {
	now := time.Now()
	if w.without != "" {
		w.Header().Del(w.without)
	}
	n, err := w.ResponseWriter.Write(p)
	if len(w.buffer) == 0 {
		w.began = now
	}
	w.buffer = append(w.buffer, p[:n]...)
	for len(w.buffer) >= grpcPrefix {
		end := grpcPrefix + int(binary.BigEndian.Uint32(w.buffer[1:grpcPrefix]))
		if len(w.buffer) < end {
			break
		}
		w.tell(w.buffer[0]&grpcCompressed != 0, w.buffer[grpcPrefix:end])
		w.buffer, w.began = w.buffer[end:], now
	}
	return n, err //nolint:wrapcheck // the caller must get the writer's own
}

func (w *streamWriter) tell(compressed bool, message []byte) {
	if compressed {
		plain, err := gzip.NewReader(bytes.NewReader(message))
		if err != nil {
			return // not of this protocol, so nothing that is measured
		}
		if message, err = io.ReadAll(plain); err != nil {
			return
		}
	}
	var said agentedgev1.StreamPingsResponse
	if err := proto.Unmarshal(message, &said); err != nil {
		return
	}
	s := sight{what: spoke, at: w.began}
	if id := said.GetJobAssigned().GetJob().GetId(); id != "" {
		s.what, s.job = assigned, id
	}
	w.spoken(s)
}

// Flush implements [http.Flusher], which a stream's handler asks for.
func (w *streamWriter) Flush() {
	_ = http.NewResponseController(w.ResponseWriter).Flush() // http.Flusher has no error
}

// Unwrap is for [http.ResponseController], which sets the deadlines.
func (w *streamWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
