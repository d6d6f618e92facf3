package spool

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/zap"
)

// FuzzRecord: whatever is in a record's file, it is read or refused; what is
// read is written the same way again.
func FuzzRecord(f *testing.F) {
	f.Add(must(encode(Job{ID: "J1", Token: "t", Endpoint: "http://127.0.0.1/v3", ChunkMaxSize: 1})))
	f.Add(must(encode(Result{ExitStatus: "-1", SignalReason: "agent_stop"})))
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
			if again, err := decode[Result](must(encode(result))); err != nil || !again.FinishedAt.Equal(result.FinishedAt) {
				t.Errorf("%+v became %+v, %v", result, again, err)
			}
		}

		// The checksum keeps most of what a fuzzer makes out; here it is right.
		body := bytes.TrimSuffix(data, []byte("\n"))
		_, _ = decode[Job](withChecksum(body))
		_, _ = decode[Result](withChecksum(body))
	})
}

func withChecksum(body []byte) []byte {
	return fmt.Appendf(nil, "%s%08x\n%s\n", header, crc32.Checksum(body, castagnoli), body)
}

// FuzzPieceName: a name is that of one piece, or of none.
func FuzzPieceName(f *testing.F) {
	f.Add("chunk-1-0")
	f.Add("chunk-18446744073709551615-18446744073709551615")
	f.Add("chunk-01-+2")
	f.Add("chunk--")
	f.Fuzz(func(t *testing.T, name string) {
		if number, offset, ok := parsePieceName(name); ok && (pieceName(number, offset) != name || number == 0) {
			t.Errorf("%q is piece %d at %d", name, number, offset)
		}
	})
}

// FuzzFolder: whatever files a job's folder holds, what is given out of it fits
// together.
func FuzzFolder(f *testing.F) {
	f.Add("chunk-1-0", []byte("ab"), "chunk-2-2", []byte("c"), []byte("{}"))
	f.Add("chunk-2-0", []byte("ab"), "chunk-1-1", []byte("c"), []byte{})
	f.Add("chunk-1-0", []byte("ab"), "chunk-1-2", []byte("c"), []byte{})
	f.Add("chunk-1-18446744073709551615", []byte("ab"), "chunk-2-0", []byte("c"), []byte{})
	f.Fuzz(func(t *testing.T, name1 string, data1 []byte, name2 string, data2, result []byte) {
		const limit = 100
		dir := t.TempDir()
		for name, data := range map[string][]byte{name1: data1, name2: data2, resultFile: result} {
			if name == filepath.Base(name) && name != "." && name != ".." {
				_ = os.WriteFile(filepath.Join(dir, name), data, 0o600) // not every name is one
			}
		}
		pieces, _, err := readPieces(dir, limit, zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		var last, end uint64
		for _, piece := range pieces {
			if piece.Number <= last || piece.Offset < end || piece.Size == 0 || piece.Size > limit {
				t.Errorf("pieces %v do not fit", pieces)
			}
			last, end = piece.Number, piece.Offset+piece.Size
		}
		_, _ = read[Result](filepath.Join(dir, resultFile))
	})
}
