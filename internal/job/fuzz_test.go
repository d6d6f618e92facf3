package job

import (
	"bytes"
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
)

// FuzzEnvironment shows that whatever environment and headers a control plane
// sends, a job's process gets one that a process can have: no variable twice,
// the agent's own word over the job's, and never the agent's token.
func FuzzEnvironment(f *testing.F) {
	for _, seed := range [][4]string{
		{"true", "A", "1", "Buildkite-X"},
		{"true", "BUILDKITE_AGENT_TOKEN", "secret", "Buildkite-A-B"},
		{"true", "BUILDKITE_JOB_ID", "another", "Buildkite-"},
		{"true", "PWD", "/", "buildkite-x"},
		{"\x00", "A=B", "\x00", "X"},
		{" ", "", "", ""},
		{"echo \xff", "\xff", "\xfe\n", "Buildkite-\xff"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, script, name, value, header string) {
		spec := Spec{ID: "j1", Env: map[string]string{commandName: script}}
		spec.Env[name] = value
		opts := Options{BuildPath: "/builds", Headers: http.Header{header: {value}}, Environ: []string{"PATH=/bin", "SECRET=agent"}}
		got, pairs, err := environment(spec, opts, "/builds/j1")
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x00") {
				t.Errorf("said %q", err)
			}
			return
		}
		if got != spec.Env[commandName] {
			t.Errorf("script %q became %q", spec.Env[commandName], got)
		}
		seen := map[string]string{}
		for _, pair := range pairs {
			key, is, ok := strings.Cut(pair, "=")
			if _, twice := seen[key]; !ok || key == "" || twice {
				t.Errorf("%q in %q", pair, pairs)
			}

			// A header's value has been checked where it came in (transport).
			if strings.Contains(pair, "\x00") && !strings.HasPrefix(key, headerEnv) {
				t.Errorf("%q in %q", pair, pairs)
			}
			seen[key] = is
		}
		if _, leaked := seen[agentTokenName]; leaked || seen["BUILDKITE_JOB_ID"] != "j1" || seen["PWD"] != "/builds/j1" ||
			seen["SECRET"] == "agent" && name != "SECRET" {
			t.Errorf("%q", pairs)
		}
	})
}

// FuzzWorkspace shows that no job's id leads out of the build path.
func FuzzWorkspace(f *testing.F) {
	for _, seed := range []string{"j1", "", "..", "../../etc", "/etc", "a\x00b", "*", `C:\x`, strings.Repeat("é", 100), "\xff"} {
		f.Add(seed)
	}
	build := f.TempDir()
	f.Fuzz(func(t *testing.T, id string) {
		dir, err := makeWorkspace(build, id)
		if err != nil {
			t.Fatalf("%q: %v", id, err)
		}
		if filepath.Dir(dir) != build || len(filepath.Base(dir)) > spool.MaxNameLen+20 {
			t.Errorf("%q: %s", id, dir)
		}
		if err := removeWorkspace(dir); err != nil {
			t.Error(err)
		}
	})
}

// collector keeps the chunks of a log.
type collector struct {
	ControlPlane

	mu     sync.Mutex
	chunks map[uint64]Chunk
}

func (c *collector) Chunk(_ context.Context, chunk Chunk) error {
	chunk.Data = bytes.Clone(chunk.Data)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.chunks[chunk.Sequence] = chunk
	return nil
}

// FuzzOutput shows that a job's output arrives byte by byte as it was written,
// whatever it is and however it is cut, with the agent's own lines on lines of
// their own, in chunks that fit together and are no larger than allowed.
func FuzzOutput(f *testing.F) {
	f.Add([]byte("hello\nworld"), uint16(4), uint8(3), "a word of the agent")
	f.Add([]byte{}, uint16(1), uint8(1), "")
	f.Add([]byte("\x00\xff\r\x1b[2J\n"), uint16(1), uint8(200), "\n")
	f.Add(bytes.Repeat([]byte("x"), 5000), uint16(1024), uint8(255), "end")
	f.Fuzz(func(t *testing.T, written []byte, limit uint16, piece uint8, line string) {
		if limit == 0 || piece == 0 || len(written) > 1<<14 {
			t.Skip()
		}
		cp := &collector{chunks: map[uint64]Chunk{}}
		spec := Spec{ChunkMaxSize: max(uint64(limit), uint64(len(written)/64)+1), ChunkInterval: time.Hour, LogMaxSize: 1 << 30}
		up := newUploader(t.Context(), cp, spec, zap.NewNop())
		for rest := written; len(rest) > 0; {
			n := min(len(rest), int(piece)*8)
			_, _ = up.front.Write(rest[:n])
			rest = rest[n:]
		}
		up.linef("%s", line)
		up.flush()
		want := string(written)
		if want != "" && !strings.HasSuffix(want, "\n") {
			want += "\n"
		}
		want += "switchyard: " + line + "\n"
		var got []byte
		for n := uint64(1); n <= uint64(len(cp.chunks)); n++ {
			chunk, ok := cp.chunks[n]
			if !ok || chunk.Offset != uint64(len(got)) || chunk.Size != uint64(len(chunk.Data)) || chunk.Size > spec.ChunkMaxSize || chunk.Size == 0 {
				t.Fatalf("chunk %d: %d bytes at %d, after %d", n, chunk.Size, chunk.Offset, len(got))
			}
			got = append(got, chunk.Data...)
		}
		if string(got) != want {
			t.Errorf("%q arrived, of %q", got, want)
		}
	})
}
