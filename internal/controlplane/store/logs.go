package store

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// chunkHeader says where a piece belongs in its log: 8 bytes of its number and 8
// of its offset, big-endian, in hex.
const chunkHeader = "Switchyard-Chunk"

// chunkHeaderSize is the size of its value before the hex.
const chunkHeaderSize = 16

// Chunk is one piece of a job's log.
type Chunk struct {
	// Sequence is the worker's number of it, from 1; Offset the number of log bytes
	// before it.
	Sequence, Offset uint64
	// Data is the raw bytes.
	Data []byte
	// Position is its place in the log stream, and StoredAt the store's clock; both
	// are set by reading.
	Position uint64
	StoredAt time.Time
}

// End is the offset of the byte after the piece.
func (c Chunk) End() uint64 { return c.Offset + uint64(len(c.Data)) }

// AppendLog stores a piece of a job's log; a second copy within two minutes is
// left out, and a success. ErrTooLarge, ErrUnavailable.
func (s *Store) AppendLog(ctx context.Context, jobID string, c Chunk) error {
	doing := "storing a piece of the log of job " + jobID
	if !validToken(jobID) {
		return fmt.Errorf("%s: %w", doing, ErrNotFound)
	}
	var place [chunkHeaderSize]byte
	binary.BigEndian.PutUint64(place[:8], c.Sequence)
	binary.BigEndian.PutUint64(place[8:], c.Offset)
	msg := nats.NewMsg(logPrefix + jobID)
	msg.Data = c.Data
	msg.Header.Set(chunkHeader, hex.EncodeToString(place[:]))
	id := jobID + "." + strconv.FormatUint(c.Sequence, 10) + "." + strconv.FormatUint(c.Offset, 10)
	if _, err := s.js.PublishMsg(ctx, msg, jetstream.WithMsgID(id)); err != nil {
		return failed(err, doing)
	}
	return nil
}

// LastChunk reads the piece of a job's log that was stored last, which need not
// be the last of the log. ErrNotFound where there is none, ErrUnavailable.
func (s *Store) LastChunk(ctx context.Context, jobID string) (Chunk, error) {
	doing := "reading the log of job " + jobID
	if !validToken(jobID) {
		return Chunk{}, fmt.Errorf("%s: %w", doing, ErrNotFound)
	}
	msg, err := s.logs.GetLastMsgForSubject(ctx, logPrefix+jobID)
	if err != nil {
		return Chunk{}, failed(err, doing)
	}
	return chunkOf(msg.Header, msg.Data, msg.Sequence, msg.Time)
}

// ChunkAt reads one piece again by its Position. ErrNotFound where it has
// expired, ErrUnavailable.
func (s *Store) ChunkAt(ctx context.Context, position uint64) (Chunk, error) {
	msg, err := s.logs.GetMsg(ctx, position)
	if err != nil {
		return Chunk{}, failed(err, "reading a piece of a log")
	}
	return chunkOf(msg.Header, msg.Data, msg.Sequence, msg.Time)
}

// ReadLog gives the pieces of a job's log in the order in which they were stored,
// copies included: those that are there, then each as it is stored, until handle
// answers false, the context ends or the store is closed.
func (s *Store) ReadLog(ctx context.Context, jobID string, handle func(Chunk) bool) error {
	if !validToken(jobID) {
		return fmt.Errorf("reading the log of job %q: %w", jobID, ErrNotFound)
	}
	var damaged error
	err := s.read(ctx, logStream, logPrefix+jobID, func(uint64) {},
		func(msg jetstream.Msg, meta *jetstream.MsgMetadata) bool {
			c, err := chunkOf(msg.Headers(), msg.Data(), meta.Sequence.Stream, meta.Timestamp)
			if err != nil {
				damaged = err
				return false
			}
			return handle(c)
		})
	if damaged != nil {
		return damaged
	}
	return err
}

func chunkOf(header nats.Header, data []byte, position uint64, at time.Time) (Chunk, error) {
	place, err := hex.DecodeString(header.Get(chunkHeader))
	if err != nil || len(place) != chunkHeaderSize {
		return Chunk{}, fmt.Errorf("piece %d of the log stream is damaged: bad header %s", position, chunkHeader)
	}
	return Chunk{
		Sequence: binary.BigEndian.Uint64(place[:8]),
		Offset:   binary.BigEndian.Uint64(place[8:]),
		Data:     data,
		Position: position,
		StoredAt: at,
	}, nil
}
