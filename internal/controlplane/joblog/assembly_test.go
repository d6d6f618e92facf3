package joblog

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Whatever the order and repetition of chunks, the assembled log has every byte
// once, in order, and the bytes that never arrived are reported as missing.
func TestAssembly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := rapid.SliceOfN(rapid.Byte(), 1, 60).Draw(t, "log")
		var chunks []store.Chunk
		for offset := 0; offset < len(log); {
			n := rapid.IntRange(1, len(log)-offset).Draw(t, "size")
			chunks = append(chunks, store.Chunk{
				Chunk:    wire.Chunk{Offset: uint64(offset), Data: log[offset : offset+n]},
				Position: uint64(len(chunks)),
			})
			offset += n
		}
		begin := rapid.Uint64Range(0, uint64(len(log))).Draw(t, "begin")
		arrivals := rapid.SliceOfN(rapid.SampledFrom(chunks), 0, 30).Draw(t, "arrivals")

		s := assembly{next: begin}
		here := make([]bool, len(log))
		var got []byte
		at := begin
		take := func(p store.Chunk, missing uint64) {
			if p.Offset != at+missing {
				t.Fatalf("chunk at %d after %d with %d missing", p.Offset, at, missing)
			}
			for i := at; i < p.Offset; i++ {
				if here[i] {
					t.Fatalf("byte %d has arrived and is reported missing", i)
				}
			}
			got = append(got, make([]byte, missing)...)
			got = append(got, p.Data...)
			at = p.Offset + uint64(len(p.Data))
		}
		for _, c := range arrivals {
			for i := range c.Data {
				here[int(c.Offset)+i] = true
			}
			if p, ok := s.add(c); ok {
				take(p, 0)
			}
			for position, ok := s.due(false); ok; position, ok = s.due(false) {
				take(s.advance(chunks[position]))
			}
		}
		for position, ok := s.due(true); ok; position, ok = s.due(true) {
			take(s.advance(chunks[position]))
		}
		if s.hasGap() {
			t.Fatal("something is held back at the end")
		}
		for i := int(begin); i < len(log); i++ {
			if here[i] && i >= int(at) {
				t.Fatalf("byte %d has arrived and was not returned", i)
			}
			if i < int(at) && here[i] && !bytes.Equal(got[i-int(begin):i-int(begin)+1], log[i:i+1]) {
				t.Fatalf("byte %d is wrong", i)
			}
		}
	})
}
