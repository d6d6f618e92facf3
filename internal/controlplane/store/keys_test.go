package store

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestExpireKeyLeavesAnotherJobsKey(t *testing.T) {
	for name, stored := range map[string][]string{ // the jobs that the key has named, in this order
		"of another process":              {"new"},
		"that has replaced the job's own": {"old", "new"},
	} {
		t.Run(name, func(t *testing.T) {
			s := openTest(t, Options{})
			var before Key
			for _, job := range stored {
				if err := s.PutKey(t.Context(), "k", Key{JobID: job, Revision: before.Revision}); err != nil {
					t.Fatal(err)
				}
				var err error
				if before, err = s.Key(t.Context(), "k"); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.ExpireKey(t.Context(), "k", "old"); err != nil {
				t.Fatal(err)
			}
			after, err := s.Key(t.Context(), "k")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("the key changed (-before +after):\n%s", diff)
			}
		})
	}
}

// The server reads and writes in turn: the key of a job that this process has stored is not
// read to have it expire.
func TestExpireKeyReadsNothingThatIsKnown(t *testing.T) {
	s := openTest(t, Options{})
	seen, err := s.nc.SubscribeSync("$JS.API.DIRECT.GET.>")
	if err != nil {
		t.Fatal(err)
	}
	reads := func() (n int) {
		t.Helper()
		if err := s.nc.Flush(); err != nil {
			t.Fatal(err)
		}
		if n, _, err = seen.Pending(); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, row := range []struct {
		name   string
		forget func()
		reads  int
	}{
		{"known", func() {}, 0},
		{"unknown", func() { s.keyRevisions.take("unknown") }, 1},
	} {
		if err := s.PutKey(t.Context(), row.name, Key{JobID: row.name}); err != nil {
			t.Fatal(err)
		}
		row.forget()
		before := reads()
		if err := s.ExpireKey(t.Context(), row.name, row.name); err != nil {
			t.Fatal(err)
		}
		if n := reads() - before; n != row.reads {
			t.Errorf("%s: %d reads, want %d", row.name, n, row.reads)
		}
		if k, err := s.Key(t.Context(), row.name); err != nil || !k.Over {
			t.Errorf("%s: the key is %+v, %v; want it over", row.name, k, err)
		}
	}
	if n := len(s.keyRevisions.jobs); n != 0 {
		t.Errorf("the revisions of %d keys are kept", n)
	}
}

func TestKeyRevisionsAreBounded(t *testing.T) {
	var r keyRevisions
	for n := range uint64(maxKeyRevisions + 5) {
		r.put(strconv.FormatUint(n, 10), n)
	}
	if n := len(r.jobs); n != maxKeyRevisions {
		t.Errorf("%d are kept, want %d", n, maxKeyRevisions)
	}
	last := uint64(maxKeyRevisions + 4)
	if revision, known := r.take(strconv.FormatUint(last, 10)); !known || revision != last {
		t.Errorf("the last one is %d, %t", revision, known)
	}
}
