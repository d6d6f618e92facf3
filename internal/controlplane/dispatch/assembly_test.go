package dispatch

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// However the pieces of a log come, in whatever order and how often, what is
// given is the log, in order, once, with what never came reported as missing.
func TestAssembly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := rapid.SliceOfN(rapid.Byte(), 1, 60).Draw(t, "log")
		var chunks []store.Chunk
		for offset := 0; offset < len(log); {
			n := rapid.IntRange(1, len(log)-offset).Draw(t, "size")
			chunks = append(chunks, store.Chunk{
				Position: uint64(len(chunks)), Offset: uint64(offset), Data: log[offset : offset+n],
			})
			offset += n
		}
		begin := rapid.Uint64Range(0, uint64(len(log))).Draw(t, "begin")
		arrivals := rapid.SliceOfN(rapid.SampledFrom(chunks), 0, 30).Draw(t, "arrivals")

		s := assembly{next: begin}
		here := make([]bool, len(log))
		var got []byte
		at := begin
		take := func(p LogPiece) {
			if p.Offset != at+p.Missing {
				t.Fatalf("piece at %d after %d with %d missing", p.Offset, at, p.Missing)
			}
			for i := at; i < p.Offset; i++ {
				if here[i] {
					t.Fatalf("byte %d has arrived and is called missing", i)
				}
			}
			got = append(got, make([]byte, p.Missing)...)
			got = append(got, p.Data...)
			at = p.Offset + uint64(len(p.Data))
		}
		for _, c := range arrivals {
			for i := range c.Data {
				here[int(c.Offset)+i] = true
			}
			if p, ok := s.add(c); ok {
				take(p)
			}
			for position, ok := s.due(false); ok; position, ok = s.due(false) {
				take(s.giveDue(chunks[position]))
			}
		}
		for position, ok := s.due(true); ok; position, ok = s.due(true) {
			take(s.giveDue(chunks[position]))
		}
		if s.gap() {
			t.Fatal("something is held back at the end")
		}
		for i := int(begin); i < len(log); i++ {
			if here[i] && i >= int(at) {
				t.Fatalf("byte %d has arrived and was not given", i)
			}
			if i < int(at) && here[i] && !bytes.Equal(got[i-int(begin):i-int(begin)+1], log[i:i+1]) {
				t.Fatalf("byte %d is wrong", i)
			}
		}
	})
}
