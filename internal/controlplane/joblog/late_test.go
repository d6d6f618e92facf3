package joblog

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Once the result of a job has arrived, its log takes the chunks that are missing, and no
// others. The log has chunks of four letters; 1 is at offset 0.
func TestLateChunks(t *testing.T) {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEF"
	whole := func(sequence uint64) wire.Chunk {
		offset := 4 * (sequence - 1)
		return wire.Chunk{Sequence: sequence, Offset: offset, Data: []byte(letters[offset : offset+4])}
	}
	with := func(c wire.Chunk, offset uint64, data string) wire.Chunk {
		c.Offset, c.Data = offset, []byte(data)
		return c
	}
	const stored, known = "stored", "known" // anything else is part of an error
	for name, row := range map[string]struct {
		stored  []uint64 // the chunks before the result
		missing int
		chunk   wire.Chunk
		want    string
		log     string
	}{
		"a complete log":                   {[]uint64{1, 2}, 0, whole(3), "no chunk of the log is missing, so chunk 3 is not added", "abcdefgh"},
		"an empty one":                     {nil, 0, whole(1), "no chunk of the log is missing", ""},
		"a gap that nobody counted":        {[]uint64{1, 3}, 0, whole(2), "no chunk of the log is missing", "abcdijkl"},
		"a chunk again":                    {[]uint64{1, 2}, 0, whole(2), known, "abcdefgh"},
		"a chunk again, others missing":    {[]uint64{1, 3}, 1, whole(3), known, "abcdijkl"},
		"other bytes":                      {[]uint64{1, 2}, 0, with(whole(2), 4, "EFGH"), "chunk 2 is stored, with another content", "abcdefgh"},
		"another place":                    {[]uint64{1, 2}, 1, with(whole(2), 3, "efgh"), "with another content", "abcdefgh"},
		"in a gap":                         {[]uint64{1, 3}, 1, whole(2), stored, "abcdefghijkl"},
		"in a gap, shorter":                {[]uint64{1, 3}, 1, with(whole(2), 5, "fg"), stored, "abcdfgijkl"},
		"over the end of a gap":            {[]uint64{1, 3}, 1, with(whole(2), 4, "efghXXXX"), "none of the 1 chunks that are missing", "abcdijkl"},
		"before a gap":                     {[]uint64{1, 3}, 1, with(whole(2), 0, "XXXXXXXX"), "none of the 1 chunks that are missing", "abcdijkl"},
		"at the beginning":                 {[]uint64{2}, 1, whole(1), stored, "abcdefgh"},
		"at the end":                       {[]uint64{1, 2}, 1, whole(3), stored, "abcdefghijkl"},
		"behind the end":                   {[]uint64{1, 2}, 1, whole(4), "none of the 1 chunks", "abcdefgh"},
		"at the end, but a gap is counted": {[]uint64{1, 3}, 1, whole(4), "none of the 1 chunks", "abcdijkl"},
		"at the end, beside a gap":         {[]uint64{1, 3}, 2, whole(4), stored, "abcdijklmnop"},
		"the only chunk":                   {nil, 1, whole(1), stored, "abcd"},
		"past the limit":                   {[]uint64{1}, 9, whole(8), "the log of the job has reached its limit of 30 bytes", "abcd"},
		"nothing":                          {[]uint64{1}, 0, wire.Chunk{Sequence: 2, Offset: 4}, known, "abcd"},
		"no sequence":                      {[]uint64{1}, 9, with(wire.Chunk{}, 0, "x"), "sequence must be 1 or more", "abcd"},
	} {
		t.Run(name, func(t *testing.T) {
			l, _, jobs := openLog(t, 30)
			jobs.states["j"] = wire.StateFinished
			for _, sequence := range row.stored {
				if err := l.Append(t.Context(), "j", whole(sequence)); err != nil {
					t.Fatal(err)
				}
			}
			size, _ := l.Size(t.Context(), "j")
			for again := range 2 {
				isNew, err := l.AppendLate(t.Context(), "j", size, row.missing, row.chunk)
				want := row.want
				if want == stored && again == 1 {
					want = known
				}
				switch got := fmt.Sprint(err); {
				case err == nil && isNew && want == stored, err == nil && !isNew && want == known:
				case err == nil || !strings.Contains(got, want):
					t.Errorf("attempt %d: new %v, %v; want %q", again+1, isNew, err, want)
				}
			}
			if got := text(t, l, "j"); got != row.log {
				t.Errorf("the log is %q, want %q", got, row.log)
			}
		})
	}
}

// A log whose chunks are not kept any more does not come back.
func TestLateChunksOfALogThatIsNotKept(t *testing.T) {
	l, st, jobs := openLog(t, DefaultMaxSize)
	jobs.states["j"] = wire.StateFinished
	c := wire.Chunk{Sequence: 1, Data: []byte("x")}
	if err := l.Append(t.Context(), "j", c); err != nil {
		t.Fatal(err)
	}
	if err := st.DeleteLog(t.Context(), "j"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.AppendLate(t.Context(), "j", 1, 1, wire.Chunk{Sequence: 2, Offset: 1, Data: []byte("y")}); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want %v", err, ErrClosed)
	}
}
