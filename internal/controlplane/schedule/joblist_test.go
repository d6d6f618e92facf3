package schedule

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// listedKinds are the states and outcomes of jobs in the property test of lists.
var listedKinds = []struct {
	state   wire.JobState
	outcome lifecycle.Outcome
}{
	{wire.StateQueued, lifecycle.NotEnded},
	{wire.StateRunning, lifecycle.NotEnded},
	{wire.StateFinished, lifecycle.Succeeded},
	{wire.StateFinished, lifecycle.Failed},
	{wire.StateLost, lifecycle.WasLost},
}

// Whatever jobs there are, whatever became of them and whatever is listed, the pages
// together have exactly the jobs of the list, in its order, and their number is right.
func TestListsOfJobs(t *testing.T) {
	begin := time.UnixMilli(1_700_000_000_000)
	queues := []string{"a", "b", "c"}
	workers := []string{"", uuid.NewString(), uuid.NewString()}
	rapid.Check(t, func(t *rapid.T) {
		x := New()
		stored := map[string]record.Summary{}
		var ids []string
		for range rapid.IntRange(0, 120).Draw(t, "changes") {
			s := record.Summary{}
			if len(ids) > 0 && rapid.IntRange(0, 2).Draw(t, "known") == 0 {
				s = stored[rapid.SampledFrom(ids).Draw(t, "id")]
			}
			if s.ID == "" {
				at := begin.Add(time.Duration(rapid.IntRange(0, 20).Draw(t, "at")) * time.Millisecond)
				s.ID = newIDAt(at, byte(len(ids)))
				s.Queue = rapid.SampledFrom(queues).Draw(t, "queue")
				ids = append(ids, s.ID)
			}
			kind := rapid.SampledFrom(listedKinds).Draw(t, "kind")
			s.State, s.Outcome = kind.state, kind.outcome
			s.WorkerID = rapid.SampledFrom(workers).Draw(t, "worker")
			stored[s.ID] = s
			x.history.put(s, begin, time.Time{})
			if rapid.IntRange(0, 9).Draw(t, "drop") == 0 {
				dropped := rapid.SampledFrom(ids).Draw(t, "dropped")
				x.history.drop(dropped)
				delete(stored, dropped)
			}
		}
		f := drawFilter(t, begin, queues, workers)
		page := Page{Size: rapid.IntRange(1, 30).Draw(t, "size"), OldestFirst: rapid.Bool().Draw(t, "oldest first")}
		want := listedIn(stored, f, page.OldestFirst)
		got := []string{}
		for first := true; first || page.Token != ""; first = false {
			l, err := NewJobList(f, page)
			if err != nil {
				t.Fatal(err)
			}
			if n := countAll(x, l); n != len(want) {
				t.Fatalf("counted %d jobs, want %d", n, len(want))
			}
			if n := countAll(x, l.Earlier()); n != len(got) {
				t.Fatalf("counted %d jobs on earlier pages, want %d", n, len(got))
			}
			var ids []string
			for l.Missing(len(ids)) > 0 {
				ids = append(ids, x.NextJobs(l, min(7, l.Missing(len(ids))))...)
			}
			if len(ids) > page.Size {
				t.Fatalf("a page of %d jobs", len(ids))
			}
			got = append(got, ids...)
			page.Token = l.NextToken()
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%+v lists\n%v, want\n%v", f, got, want)
		}
		used, all := 0, 0
		for _, number := range x.history.classes.byValue {
			used += x.history.ids[number].Len()
		}
		for _, ids := range x.history.ids {
			all += ids.Len()
		}
		if n := len(stored); used != n || all != n || x.history.jobs.Len() != n {
			t.Fatalf("%d jobs are in %d classes, %d in all, %d in the history; want %d",
				used, len(x.history.classes.byValue), all, x.history.jobs.Len(), n)
		}
	})
}

func newIDAt(at time.Time, n byte) string {
	id := firstID(at)
	id[15] = n
	return id.String()
}

func drawFilter(t *rapid.T, begin time.Time, queues, workers []string) JobFilter {
	f := JobFilter{WorkerID: rapid.SampledFrom(workers).Draw(t, "filter worker")}
	for _, kind := range rapid.SliceOfN(rapid.SampledFrom(listedKinds), 0, 2).Draw(t, "filter kinds") {
		if rapid.Bool().Draw(t, "by outcome") && kind.outcome != "" {
			f.Outcomes = append(f.Outcomes, kind.outcome)
		} else {
			f.States = append(f.States, kind.state)
		}
	}
	if rapid.Bool().Draw(t, "by queue") {
		f.Queue = rapid.SampledFrom(append(queues, "none")).Draw(t, "filter queue")
	}
	moment := rapid.IntRange(-1, 22)
	if rapid.Bool().Draw(t, "bounded since") {
		f.Since = begin.Add(time.Duration(moment.Draw(t, "since")) * time.Millisecond)
	}
	if rapid.Bool().Draw(t, "bounded until") {
		f.Until = begin.Add(time.Duration(moment.Draw(t, "until")) * time.Millisecond)
	}
	return f
}

// listedIn returns the IDs of the jobs that a filter selects, found by looking at all.
func listedIn(stored map[string]record.Summary, f JobFilter, oldestFirst bool) []string {
	want := []string{}
	for id, s := range stored {
		if (len(f.States) == 0 || slices.Contains(f.States, s.State)) &&
			(len(f.Outcomes) == 0 || slices.Contains(f.Outcomes, s.Outcome)) &&
			(f.Queue == "" || f.Queue == s.Queue) && (f.WorkerID == "" || f.WorkerID == s.WorkerID) &&
			(f.Since.IsZero() || idMillisecond(id) >= f.Since.UnixMilli()) &&
			(f.Until.IsZero() || idMillisecond(id) < f.Until.UnixMilli()) {
			want = append(want, id)
		}
	}
	slices.SortFunc(want, func(a, b string) int {
		if oldestFirst {
			return cmp.Compare(a, b)
		}
		return cmp.Compare(b, a)
	})
	return want
}

func idMillisecond(id string) int64 {
	parsed := uuid.MustParse(id)
	ms := int64(0)
	for _, b := range parsed[:6] {
		ms = ms<<8 | int64(b)
	}
	return ms
}

func countAll(x *Index, l *JobList) (total int) {
	for next := uuid.Nil; ; {
		var n int
		n, next = x.CountJobs(l, next)
		total += n
		if next == uuid.Nil {
			return total
		}
	}
}
