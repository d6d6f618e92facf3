package spool

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// FuzzRecord decodes any bytes. A record that is decoded is the same after it was
// encoded and decoded again.
func FuzzRecord(f *testing.F) {
	f.Add(must(encode(Job{ID: "J1", Token: "t", Endpoint: "http://127.0.0.1/v3", ChunkMaxSize: 1})))
	f.Add(must(encode(Result{FinishRequest: wire.FinishRequest{ExitStatus: "-1", SignalReason: wire.ReasonAgentStop}})))
	f.Add([]byte(header + "00000000\n{}\n"))
	f.Add([]byte(header))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if job, err := decode[Job](data); err == nil {
			again, err := decode[Job](must(encode(job)))
			if err != nil || again.ID != job.ID || again.Token != job.Token || !again.StartedAt.Equal(job.StartedAt) {
				t.Errorf("%#v became %#v, %v", job, again, err)
			}
		}
		if result, err := decode[Result](data); err == nil {
			if again, err := decode[Result](must(encode(result))); err != nil || again != result {
				t.Errorf("%+v became %+v, %v", result, again, err)
			}
		}

		// The checksum refuses most inputs of a fuzzer; here it is correct.
		body := bytes.TrimSuffix(data, []byte("\n"))
		_, _ = decode[Job](withChecksum(body))
		_, _ = decode[Result](withChecksum(body))
	})
}

func withChecksum(body []byte) []byte {
	return fmt.Appendf(nil, "%s%08x\n%s\n", header, crc32.Checksum(body, castagnoli), body)
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
	f.Add("chunk-1-0", []byte("ab"), "chunk-2-2", []byte("c"), []byte("{}"))
	f.Add("chunk-2-0", []byte("ab"), "chunk-1-1", []byte("c"), []byte{})
	f.Add("chunk-1-0", []byte("ab"), "chunk-1-2", []byte("c"), []byte{})
	f.Add("chunk-1-18446744073709551615", []byte("ab"), "chunk-2-0", []byte("c"), []byte{})
	f.Fuzz(func(t *testing.T, name1 string, data1 []byte, name2 string, data2, result []byte) {
		const limit = 100
		dir := t.TempDir()
		for name, data := range map[string][]byte{name1: data1, name2: data2, resultFile: result} {
			if name == filepath.Base(name) && name != "." && name != ".." {
				_ = os.WriteFile(filepath.Join(dir, name), data, 0o600) // not every name is valid
			}
		}
		chunks, _, err := readChunks(dir, limit, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		var last, end uint64
		for _, chunk := range chunks {
			if chunk.Sequence <= last || chunk.Offset < end || chunk.Size == 0 || chunk.Size > limit {
				t.Errorf("chunks %v do not fit", chunks)
			}
			last, end = chunk.Sequence, chunk.Offset+chunk.Size
		}
		_, _ = readRecord[Result](filepath.Join(dir, resultFile))
	})
}
