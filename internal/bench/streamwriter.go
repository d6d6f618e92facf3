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

const (
	// grpcPrefix is the length of the prefix of each message: a byte of flags, and
	// the length of the message in four bytes (gRPC, "Length-Prefixed-Message").
	grpcPrefix     = 5
	grpcCompressed = 1 // the flag of a message that is compressed, with gzip
)

// streamWriter reports each message of a stream with the time before its write.
type streamWriter struct {
	http.ResponseWriter

	onMessage func(event)
	without   string // a response header to remove

	started time.Time // of the first byte in buffer
	buffer  []byte
}

// Write writes the bytes, and then reports the messages that are complete.
func (w *streamWriter) Write(p []byte) (int, error) {
	now := time.Now()
	if w.without != "" {
		w.Header().Del(w.without)
	}
	n, err := w.ResponseWriter.Write(p)
	if len(w.buffer) == 0 {
		w.started = now
	}
	w.buffer = append(w.buffer, p[:n]...)
	for len(w.buffer) >= grpcPrefix {
		end := grpcPrefix + int(binary.BigEndian.Uint32(w.buffer[1:grpcPrefix]))
		if len(w.buffer) < end {
			break
		}
		w.notify(w.buffer[0]&grpcCompressed != 0, w.buffer[grpcPrefix:end])
		w.buffer, w.started = w.buffer[end:], now
	}
	return n, err //nolint:wrapcheck // the caller expects the writer's error
}

func (w *streamWriter) notify(compressed bool, message []byte) {
	if compressed {
		plain, err := gzip.NewReader(bytes.NewReader(message))
		if err != nil {
			return // not a message of this protocol
		}
		if message, err = io.ReadAll(plain); err != nil {
			return
		}
	}
	var response agentedgev1.StreamPingsResponse
	if err := proto.Unmarshal(message, &response); err != nil {
		return
	}
	s := event{kind: messageSent, at: w.started}
	if id := response.GetJobAssigned().GetJob().GetId(); id != "" {
		s.kind, s.job = jobAssigned, id
	}
	w.onMessage(s)
}

// Flush implements [http.Flusher], which the handler of a stream uses.
func (w *streamWriter) Flush() {
	_ = http.NewResponseController(w.ResponseWriter).Flush() // http.Flusher has no error
}

// Unwrap implements the interface of [http.ResponseController].
func (w *streamWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// envelope returns a message as the streams of gRPC and Connect have it.
func envelope(message []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
}
