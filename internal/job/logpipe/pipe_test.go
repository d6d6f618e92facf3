package logpipe

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestOrigin fills the queue, so that output is dropped and notes are kept, and
// writes both so that the redactor holds bytes of each back when the other one
// follows. Output that is held back stays output, and a note stays a note.
func TestOrigin(t *testing.T) {
	t.Parallel()
	for _, stamped := range []bool{false, true} {
		t.Run(fmt.Sprintf("timestamps: %v", stamped), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				release := make(chan struct{})
				cp := &recorder{onChunk: func(context.Context, wire.Chunk) error {
					<-release
					return nil
				}}
				const size = 64 << 10
				config := configFor(cp, size)
				config.Timestamps = stamped
				p := New(t.Context(), config)
				stamp := func(after time.Duration) string {
					if !stamped {
						return ""
					}
					return fmt.Sprintf("\x1b_bk;t=%d\a", time.Now().Add(after).UnixMilli())
				}
				const reason = "they were written faster than they were uploaded, and there was no room to keep them on the agent's disk (setting spool-size)"
				missing := func(n int) string {
					return fmt.Sprintf("switchyard: %d bytes of output are missing here: %s\n", n, reason)
				}
				held, output := len(stamp(0))+len("abcdef"), len(stamp(0))+len("output\n")
				filler := stamp(0) + strings.Repeat("x", maxMemory-len(stamp(0))-len("\n")) + "\n"
				// The note fills a chunk to its end, so that the output after it has no room.
				notes := missing(held) + "\n" + stamp(maxHold) + "switchyard: "
				notes += strings.Repeat("n", size-len(notes)-len("hello\n")) + "hello\n"
				_, note, _ := strings.Cut(strings.TrimSuffix(notes, "\n"), stamp(maxHold)+"switchyard: n")
				// Both the beginning of the first secret and the end of the note,
				// which is the beginning of the second one, are held back.
				if err := p.AddSecrets("abcdefgh", "hello\nworld!"); err != nil {
					t.Fatal(err)
				}
				_, _ = p.Write([]byte(filler[len(stamp(0)):]))
				_, _ = p.Write([]byte("abcdef"))
				p.Notef("n%s", note) // after a minute in which the held output finds no room
				_, _ = p.Write([]byte("output\n"))
				close(release)
				p.Flush()

				whole, err := cp.log()
				if err != nil {
					t.Fatal(err)
				}
				want := notes + missing(output)
				if got := strings.TrimPrefix(string(whole), filler); got != want {
					t.Errorf("after the filler:\n%q\nwant\n%q", strings.ReplaceAll(got, "nn", ""), strings.ReplaceAll(want, "nn", ""))
				}
				if got := p.Stats(); got.Failed != 2 || got.Bytes != uint64(len(whole)+held+output) {
					t.Errorf("%+v, with a log of %d bytes", got, len(whole))
				}
			})
		})
	}
}

// FuzzPipe writes any output in any parts, and a note. The log has exactly the
// output and the note, in chunks that fit together and are not too large.
func FuzzPipe(f *testing.F) {
	f.Add([]byte("hello\nworld"), uint16(4), uint8(3), "a note")
	f.Add([]byte{}, uint16(1), uint8(1), "")
	f.Add([]byte("\x00\xff\r\x1b[2J\n"), uint16(1), uint8(200), "\n")
	f.Add(bytes.Repeat([]byte("x"), 5000), uint16(1024), uint8(255), "end")
	f.Fuzz(func(t *testing.T, output []byte, limit uint16, part uint8, note string) {
		if limit == 0 || part == 0 || len(output) > 1<<14 {
			t.Skip()
		}
		cp := &recorder{}
		size := max(uint64(limit), uint64(len(output)/64)+1)
		p := newPipe(t.Context(), cp, size)
		for rest := output; len(rest) > 0; {
			n := min(len(rest), int(part)*8)
			_, _ = p.Write(rest[:n])
			rest = rest[n:]
		}
		p.Notef("%s", note)
		p.Flush()
		want := string(output)
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		want += "switchyard: " + note + "\n"
		for _, chunk := range cp.chunks {
			if len(chunk.Data) == 0 || uint64(len(chunk.Data)) > size {
				t.Errorf("chunk %d has %d bytes, want at most %d", chunk.Sequence, len(chunk.Data), size)
			}
		}
		if got, err := cp.log(); err != nil || string(got) != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	})
}
