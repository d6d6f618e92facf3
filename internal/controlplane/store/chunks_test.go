package store

import (
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
		if err := s.AppendChunk(t.Context(), "j", c); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AppendChunk(t.Context(), "other", wire.Chunk{Sequence: 1, Data: []byte("no")}); err != nil {
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
