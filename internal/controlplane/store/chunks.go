package store

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// chunkHeader holds a chunk's sequence and offset, 8 bytes each, big-endian, in
	// hex.
	chunkHeader = "Switchyard-Chunk"
	// chunkHeaderSize is the size of its value in bytes, before the hex encoding.
	chunkHeaderSize = 16
)

// Chunk is a stored chunk of a job's log. Chunks may arrive out of order and more
// than once.
type Chunk struct {
	wire.Chunk

	// Position is the chunk's sequence in the log stream.
	Position uint64
	// StoredAt is by the store's clock.
	StoredAt time.Time
}

// ChunkPlace is where a stored chunk lies in its log.
type ChunkPlace struct {
	// Sequence and Offset are those of the chunk, Size is in bytes.
	Sequence, Offset, Size uint64
	// Position is the chunk's sequence in the log stream.
	Position uint64
}

// End returns the offset after the chunk.
func (p ChunkPlace) End() uint64 { return p.Offset + p.Size }

// AppendChunk stores a chunk of a job's log. A second copy within two minutes is
// dropped, which is a success; it reports whether the chunk was stored. ErrTooLarge,
// ErrUnavailable.
func (s *Store) AppendChunk(ctx context.Context, jobID string, c wire.Chunk) (stored bool, err error) {
	doing := "storing a log chunk of job " + jobID
	if !validID(jobID) {
		return false, fmt.Errorf("%s: %w", doing, ErrNotFound)
	}
	var place [chunkHeaderSize]byte
	binary.BigEndian.PutUint64(place[:8], c.Sequence)
	binary.BigEndian.PutUint64(place[8:], c.Offset)
	msg := nats.NewMsg(logPrefix + jobID)
	msg.Data = c.Data
	msg.Header.Set(chunkHeader, hex.EncodeToString(place[:]))
	s.emptyLogs.forget(jobID)
	id := jobID + "." + strconv.FormatUint(c.Sequence, 10) + "." + strconv.FormatUint(c.Offset, 10)
	ack, err := s.write(ctx, msg, doing, jetstream.WithMsgID(id))
	if err != nil {
		return false, err
	}
	return !ack.Duplicate, nil
}

// LastChunk returns the chunk of a job's log that was stored last, which need not
// be the last one of the log. ErrNotFound if there is none, ErrUnavailable.
func (s *Store) LastChunk(ctx context.Context, jobID string) (Chunk, error) {
	doing := "reading the log of job " + jobID
	if !validID(jobID) || s.emptyLogs.has(jobID) {
		return Chunk{}, fmt.Errorf("%s: %w", doing, ErrNotFound)
	}
	msg, err := s.last(ctx, s.logs, logPrefix+jobID)
	if err != nil {
		return Chunk{}, wrap(ctx, err, doing)
	}
	return decodeChunk(msg.Header, msg.Data, msg.Sequence, msg.Time)
}

// ChunkAt returns the chunk at a Position. ErrNotFound if it has expired,
// ErrUnavailable.
func (s *Store) ChunkAt(ctx context.Context, position uint64) (Chunk, error) {
	var msg *jetstream.RawStreamMsg
	err := s.ask(ctx, kind{stream: logStream}, func(ctx context.Context) (err error) {
		msg, err = s.logs.GetMsg(ctx, position)
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return Chunk{}, wrap(ctx, err, "reading a log chunk")
	}
	return decodeChunk(msg.Header, msg.Data, msg.Sequence, msg.Time)
}

// LogIDs returns the jobs that have a log, sorted: the oldest first, since their IDs
// are UUIDs of version 7. ErrUnavailable.
func (s *Store) LogIDs(ctx context.Context) ([]string, error) {
	info, err := s.info(ctx, s.logs, "listing logs", jetstream.WithSubjectFilter(logPrefix+">"))
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(info.State.Subjects))
	for subject := range info.State.Subjects {
		if id := strings.TrimPrefix(subject, logPrefix); id != probeName {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// DeleteLog deletes the log of a job. It succeeds if there is none. ErrUnavailable.
func (s *Store) DeleteLog(ctx context.Context, jobID string) error {
	doing := "deleting the log of job " + jobID
	if !validID(jobID) {
		return fmt.Errorf("%s: %w", doing, ErrNotFound)
	}
	err := s.ask(ctx, kind{logStream, true}, func(ctx context.Context) error {
		return s.logs.Purge(ctx, jetstream.WithPurgeSubject(logPrefix+jobID))
	})
	if err != nil {
		return wrap(ctx, err, doing)
	}
	return nil
}

// ReadChunks calls handle with the chunks of a job's log in the order in which
// they were stored, copies included: the stored ones, then each new one, until
// handle returns false, the context ends or the store is closed. While handle does
// not return, at most 1.25 MiB wait for it.
func (s *Store) ReadChunks(ctx context.Context, jobID string, handle func(Chunk) bool) error {
	if !validID(jobID) {
		return fmt.Errorf("reading the log of job %q: %w", jobID, ErrNotFound)
	}
	var damaged error
	r := reading{stream: logStream, subject: logPrefix + jobID, ahead: readAhead{followMessages, followBytes}}
	err := s.read(ctx, r, func(uint64) {},
		func(msg jetstream.Msg, meta *jetstream.MsgMetadata) bool {
			c, err := decodeChunk(msg.Headers(), msg.Data(), meta.Sequence.Stream, meta.Timestamp)
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

// ChunkPlaces returns where the chunks of a job's log lie, in the order in which they
// were stored, copies included. It reads none of their data. It returns an empty slice
// if there is no log. ErrUnavailable, or the context's error.
func (s *Store) ChunkPlaces(ctx context.Context, jobID string) ([]ChunkPlace, error) {
	if !validID(jobID) {
		return nil, fmt.Errorf("reading the log of job %q: %w", jobID, ErrNotFound)
	}
	toEnd, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var places []ChunkPlace
	var damaged error
	r := reading{stream: logStream, subject: logPrefix + jobID, headersOnly: true, ahead: readAhead{loadMessages, loadBytes}}
	err := s.read(toEnd, r, func(pending uint64) {
		if pending == 0 {
			stop(errRead)
		}
	}, func(msg jetstream.Msg, meta *jetstream.MsgMetadata) bool {
		var place ChunkPlace
		if place, damaged = decodePlace(msg.Headers(), meta.Sequence.Stream); damaged != nil {
			return false
		}
		size := msg.Headers().Get(nats.MsgSize) // the server sets it
		if place.Size, damaged = strconv.ParseUint(size, 10, 64); damaged != nil {
			damaged = fmt.Errorf("reading the places of log chunks: size %q of a message: %w", size, damaged)
		}
		places = append(places, place)
		return damaged == nil
	})
	switch {
	case damaged != nil:
		return nil, damaged
	case errors.Is(err, errRead):
		return places, nil
	}
	return places, err
}

// decodePlace returns the place that is in the header of a chunk, without its size.
func decodePlace(header nats.Header, position uint64) (ChunkPlace, error) {
	place, err := hex.DecodeString(header.Get(chunkHeader))
	if err != nil || len(place) != chunkHeaderSize {
		return ChunkPlace{}, fmt.Errorf("chunk %d of the log stream is damaged: bad header %s", position, chunkHeader)
	}
	return ChunkPlace{
		Sequence: binary.BigEndian.Uint64(place[:8]), Offset: binary.BigEndian.Uint64(place[8:]), Position: position,
	}, nil
}

func decodeChunk(header nats.Header, data []byte, position uint64, at time.Time) (Chunk, error) {
	place, err := decodePlace(header, position)
	return Chunk{
		Chunk: wire.Chunk{Sequence: place.Sequence, Offset: place.Offset, Data: data}, Position: position, StoredAt: at,
	}, err
}
