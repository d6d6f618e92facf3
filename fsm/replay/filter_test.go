package replay_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/replay"
)

func TestFilter(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)
	minute := func(n int) time.Time { return begin.Add(time.Duration(n) * time.Minute) }
	record := func(at int, worker string, kind fsm.EventKind, to fsm.State, job fsm.JobID) fsm.Record {
		r := fsm.Record{Time: minute(at), Worker: worker, Name: "name of " + worker, Event: fsm.Event{Kind: kind}, To: to}
		r.Facts.Job = job
		return r
	}
	records := []fsm.Record{
		record(0, "a", fsm.Started, fsm.StreamHealthy, ""),
		record(0, "b", fsm.Started, fsm.StreamHealthy, ""),
		record(1, "a", fsm.ReceivedJob, fsm.Running, "j"),
		record(2, "b", fsm.StreamLost, fsm.FallingBack, ""),
		record(3, "a", fsm.StreamLost, fsm.PollingBusy, "j"),
		record(4, "a", fsm.JobFinished, fsm.FallingBack, ""),
	}
	records[5].Event.Job = "j"
	killed := map[string]replay.Kill{"b": {After: minute(2), Before: minute(7)}}
	for _, row := range []struct {
		name   string
		filter replay.Filter
		want   string // worker, minute, state
	}{
		{"everything", replay.Filter{}, "a0StreamHealthy b0StreamHealthy a1Running b2FallingBack a3PollingBusy a4FallingBack"},
		{"one worker by its ID", replay.Filter{Workers: []string{"b"}}, "b0StreamHealthy b2FallingBack"},
		{"one worker by its name", replay.Filter{Workers: []string{"name of a"}}, "a0StreamHealthy a1Running a3PollingBusy a4FallingBack"},
		{"no worker", replay.Filter{Workers: []string{"c"}}, ""},
		{"a job", replay.Filter{Job: "j"}, "a1Running a3PollingBusy a4FallingBack"},
		{"until", replay.Filter{Until: minute(1)}, "a0StreamHealthy b0StreamHealthy a1Running b1StreamHealthy a1Running"},
		{"since, with the state at that time", replay.Filter{Since: minute(3)}, "a3Running a3PollingBusy a4FallingBack b3FallingBack"},
		{"a job since", replay.Filter{Job: "j", Since: minute(2)}, "a2Running a3PollingBusy a4FallingBack"},
		{"a job that had ended", replay.Filter{Job: "j", Since: minute(5)}, ""},
		{"killed before", replay.Filter{Workers: []string{"b"}, Since: minute(8)}, ""},
		{"killed perhaps since", replay.Filter{Workers: []string{"b"}, Since: minute(6)}, "b6FallingBack"},
		{"between", replay.Filter{Since: minute(2), Until: minute(2)}, "b2StreamHealthy b2FallingBack a2Running a2Running"},
	} {
		var got []string
		for _, r := range row.filter.Apply(slices.Clone(records), killed) {
			got = append(got, fmt.Sprintf("%s%d%v", r.Worker, r.Time.Sub(begin)/time.Minute, r.To))
		}
		if text := strings.Join(got, " "); text != row.want {
			t.Errorf("%s: %s\nwant %s", row.name, text, row.want)
		}
	}
}

// TestFilterTakesBeginnings shows which beginnings of IDs name a worker or a job.
func TestFilterTakesBeginnings(t *testing.T) {
	t.Parallel()
	records := []fsm.Record{
		{Worker: "aaaa-1", Name: "box"},
		{Worker: "aaab-2", Name: "aaaa", Event: fsm.Event{Job: "jobs-1"}},
		{Worker: "aaab-3", Facts: fsm.Facts{Job: "jobs-2", Mailbox: fsm.MailboxOf("next-1", "next-10")}},
	}
	for _, row := range []struct{ worker, job, want string }{
		{"aaaa-", "", "aaaa-1"},
		{"aaaa", "", "aaaa"}, // a name comes first
		{"aaab-3", "", "aaab-3"},
		{"aaab", "", `no worker has the name "aaab", and several IDs begin so: aaab-2, aaab-3`},
		{"aaa", "", `no worker has the name or ID "aaa"; there are: aaaa (aaab-2), aaab-3, box (aaaa-1)`},
		{"box", "jobs-2", "box jobs-2"},
		{"box", "next-10", "box next-10"},
		{"box", "next-1", "box next-1"}, // a whole ID comes first
		{"box", "next", `job "next": several IDs begin so: next-1, next-10`},
		{"box", "job", `no worker had the job "job" in what is recorded`},
	} {
		f, err := replay.Filter{Workers: []string{row.worker}, Job: fsm.JobID(row.job)}.Resolve(records)
		got := strings.TrimSpace(f.Workers[0] + " " + string(f.Job))
		if err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%s, %s: %s, want %s", row.worker, row.job, got, row.want)
		}
	}
}

// TestFilterNamesWhatIsUnknown shows the errors about a worker or a job that is not recorded.
func TestFilterNamesWhatIsUnknown(t *testing.T) {
	t.Parallel()
	records := []fsm.Record{
		{Worker: "1", Name: "box"},
		{Worker: "2", Facts: fsm.Facts{Job: "j", Mailbox: fsm.MailboxOf("next")}},
		{Worker: "2", Event: fsm.Event{Job: "before"}},
	}
	for _, row := range []struct {
		filter replay.Filter
		want   string
	}{
		{replay.Filter{}, ""},
		{replay.Filter{Workers: []string{"box", "2", "1"}, Job: "j"}, ""},
		{replay.Filter{Job: "next"}, ""},
		{replay.Filter{Job: "before"}, ""},
		{replay.Filter{Job: "k"}, `no worker had the job "k" in what is recorded`},
		{replay.Filter{Workers: []string{"box", "c"}}, `no worker has the name or ID "c"; there are: 2, box (1)`},
	} {
		got := ""
		if _, err := row.filter.Resolve(records); err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%+v: %q, want %q", row.filter, got, row.want)
		}
	}
}
