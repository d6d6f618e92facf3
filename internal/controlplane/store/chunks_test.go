package store

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestReadChunksInTheOrderOfStoring(t *testing.T) {
	s := openTest(t, Options{})
	chunks := []wire.Chunk{
		{Sequence: 2, Offset: 5, Data: []byte("world")},
		{Sequence: 1, Offset: 0, Data: []byte("hello")},
	}
	for _, c := range []wire.Chunk{chunks[0], chunks[0], chunks[1]} {
		if _, err := s.AppendChunk(t.Context(), "j", c); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.AppendChunk(t.Context(), "other", wire.Chunk{Sequence: 1, Data: []byte("no")}); err != nil {
		t.Fatal(err)
	}
	var got []wire.Chunk
	err := s.ReadChunks(t.Context(), "j", func(c Chunk) bool {
		again, err := s.ChunkAt(t.Context(), c.Position)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, again); diff != "" {
			t.Errorf("read by position (-read +again):\n%s", diff)
		}
		got = append(got, c.Chunk)
		return len(got) < len(chunks)
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(chunks, got); diff != "" {
		t.Errorf("chunks (-want +got):\n%s", diff)
	}
}

// A reader of a log that does not take its chunks has at most twice followBytes
// sent in advance, and reads all of them later.
func TestASlowReaderOfALogIsBounded(t *testing.T) {
	s := openTest(t, Options{})
	const chunks, size = 40, 512 << 10
	for i := range uint64(chunks) {
		chunk := wire.Chunk{Sequence: i + 1, Offset: i * size, Data: bytes.Repeat([]byte{byte(i)}, size)}
		if _, err := s.AppendChunk(t.Context(), "j", chunk); err != nil {
			t.Fatal(err)
		}
	}
	before := s.nc.Stats().InBytes
	blocked, release := make(chan struct{}), make(chan struct{})
	read := make(chan error, 1)
	n := 0
	go func() {
		read <- s.ReadChunks(t.Context(), "j", func(Chunk) bool {
			n++
			if n == 1 {
				close(blocked)
				<-release
			}
			return n < chunks
		})
	}()
	<-blocked
	for range 500 { // long enough for the store to send what was requested
		if err := s.Reachable(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	const responses = 2 << 20 // to the requests above, at most
	if sent := s.nc.Stats().InBytes - before; sent > 2*followBytes+responses {
		t.Errorf("%d bytes were sent to a reader that does not read", sent)
	}
	close(release)
	if err := <-read; err != nil || n != chunks {
		t.Errorf("read %d chunks, %v; want %d", n, err, chunks)
	}
}
