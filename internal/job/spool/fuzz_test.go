package spool

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// FuzzFile decodes a file with any content. What is decoded is the same after it was
// encoded again, and the chunks in it fit together.
func FuzzFile(f *testing.F) {
	whole := slices.Concat(
		must(encodeRecord(kindJob, Job{ID: "J1", Token: "t", Endpoint: "http://127.0.0.1/v3", ChunkMaxSize: 1})),
		encode(kindData, 1, 0, []byte("abc")), encode(kindSent, 1, 0, []byte("d")), encode(kindVoid, 2, 4, []byte("\n")),
		must(encodeRecord(kindResult, Result{FinishRequest: wire.FinishRequest{ExitStatus: "-1", SignalReason: wire.ReasonAgentStop}})),
	)
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add([]byte(header + "D 1 0 0 00000000\n\n"))
	f.Add([]byte(header + "D 18446744073709551615 18446744073709551615 18446744073709551615 00000000\n\n"))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		frames, size := decode(data)
		var again []byte
		for _, one := range frames {
			if s := one.segment; !bytes.Equal(data[s.content:s.content+s.size], one.content) || data[s.kindAt()] != byte(one.kind) {
				t.Errorf("%+v is not at its place", one)
			}
			again = append(again, encode(one.kind, one.sequence, one.offset, one.content)...)
			_, _ = decodeRecord[Job](one.content)
			_, _ = decodeRecord[Result](one.content)
		}
		if decoded, n := decode(again); len(decoded) != len(frames) || n != int64(len(again)) || size > int64(len(data)) {
			t.Errorf("%d frames became %d", len(frames), len(decoded))
		}
		chunks, _ := chunksOf(frames)
		fitting, _ := fit(chunks, 100)
		checkFit(t, fitting, 100)
	})
}

// FuzzChunkName parses any name. What is parsed has exactly that name.
func FuzzChunkName(f *testing.F) {
	f.Add("chunk-1-0")
	f.Add("chunk-18446744073709551615-18446744073709551615")
	f.Add("chunk-01-+2")
	f.Add("chunk--")
	f.Fuzz(func(t *testing.T, name string) {
		if sequence, offset, ok := parseChunkName(name); ok && (chunkName(sequence, offset) != name || sequence == 0) {
			t.Errorf("%q is chunk %d at %d", name, sequence, offset)
		}
	})
}

// FuzzDirectory reads a directory with any files. The chunks that are returned do
// not overlap.
func FuzzDirectory(f *testing.F) {
	f.Add("chunk-1-0", []byte("ab"), "chunk-2-2", []byte("c"))
	f.Add("chunk-2-0", []byte("ab"), "chunk-1-1", []byte("c"))
	f.Add("chunk-1-0", []byte("ab"), "chunk-1-2", []byte("c"))
	f.Add("chunk-1-18446744073709551615", []byte("ab"), "chunk-2-0", []byte("c"))
	f.Fuzz(func(t *testing.T, name1 string, data1 []byte, name2 string, data2 []byte) {
		const limit = 100
		dir := t.TempDir()
		for name, data := range map[string][]byte{name1: data1, name2: data2} {
			if name == filepath.Base(name) && name != "." && name != ".." {
				_ = os.WriteFile(filepath.Join(dir, name), data, 0o600) // not every name is valid
			}
		}
		chunks, _, err := readChunks(dir, limit, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		fitting, _ := fit(chunks, limit)
		checkFit(t, fitting, limit)
	})
}

func checkFit(t *testing.T, chunks []leftChunk, limit uint64) {
	t.Helper()
	var last, end uint64
	for _, chunk := range chunks {
		if chunk.Sequence <= last || chunk.Offset < end || chunk.Size == 0 || chunk.Size > limit {
			t.Errorf("chunks %v do not fit", chunks)
		}
		last, end = chunk.Sequence, chunk.Offset+chunk.Size
	}
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}
