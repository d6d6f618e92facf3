package joblog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// A log is read from any place on, in order, whatever the order in which its chunks came,
// and without what is there twice or is missing.
func TestRead(t *testing.T) {
	t.Parallel()
	l, _, _ := openLog(t, 1<<20)
	for _, c := range []wire.Chunk{
		{Sequence: 2, Offset: 4, Data: []byte("efgh")},
		{Sequence: 1, Data: []byte("abcd")},
		{Sequence: 3, Offset: 6, Data: []byte("ghij")},
		{Sequence: 5, Offset: 20, Data: []byte("uv")},
	} {
		if err := l.Append(t.Context(), "j", c); err != nil {
			t.Fatal(err)
		}
	}
	for from, want := range map[uint64]string{
		0: "0 abcd,4 efgh,8 ij,20 uv", 3: "3 d,4 efgh,8 ij,20 uv", 7: "7 h,8 ij,20 uv", 9: "9 j,20 uv", 15: "20 uv", 22: "",
	} {
		var got []string
		for c, err := range l.Read(t.Context(), "j", from) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%d %s", c.Offset, c.Data))
		}
		if text := strings.Join(got, ","); text != want {
			t.Errorf("from %d: %s, want %s", from, text, want)
		}
	}
	for range l.Read(t.Context(), "nosuch", 0) {
		t.Error("a log that is not there has chunks")
	}
}
