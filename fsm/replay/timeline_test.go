package replay_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/replay"
)

var update = flag.Bool("update", false, "rewrite the goldens of timelines instead of comparing with them")

// timed is an event of a script, some seconds after its beginning.
type timed struct {
	at    float64
	kind  fsm.EventKind
	n     fsm.Epoch
	job   fsm.JobID
	cause string
}

// recordsOf returns the records of a worker that runs a script.
func recordsOf(worker string, begin time.Time, script []timed) []fsm.Record {
	s, facts := fsm.Initial, fsm.Facts{Mode: fsm.Auto}
	records := make([]fsm.Record, 0, len(script))
	for _, h := range script {
		r := fsm.Record{
			Time: begin.Add(time.Duration(h.at * float64(time.Second))), Worker: worker, Cause: h.cause,
			Event: fsm.Event{Kind: h.kind, Epoch: h.n, Job: h.job},
		}
		to, after, effects, d := fsm.Advance(s, &facts, r.Event)
		r.SetAnswer(s, to, &d, effects, &after)
		s, facts = to, after
		records = append(records, r)
	}
	return records
}

var midnight = time.Date(2026, 11, 25, 23, 55, 12, 0, time.UTC)

// badNight returns the records of two workers during an unstable night.
func badNight() []fsm.Record {
	first := recordsOf("wrk-a1f3", midnight, []timed{
		{at: 0, kind: fsm.Started},
		{at: 1.2, kind: fsm.ReceivedResume, n: 1},
		{at: 40, kind: fsm.ReceivedJob, n: 1, job: "job-build-7731"},
		{at: 95, kind: fsm.StreamLost, n: 1, cause: "read: connection reset by peer"},
		{at: 110, kind: fsm.StreamLost, n: 2, cause: "dial: connection refused"},
		{at: 160, kind: fsm.JobFinished, job: "job-build-7731"},
		{at: 160, kind: fsm.PollDue},
		{at: 161, kind: fsm.AnsweredIdle, n: 1},
		{at: 170, kind: fsm.StreamLost, n: 3, cause: "dial: connection refused"},
		{at: 191, kind: fsm.PollDue},
		{at: 201, kind: fsm.PollFailed, n: 2, cause: "503 Service Unavailable"},
		{at: 231, kind: fsm.PollDue},
		{at: 231.4, kind: fsm.AnsweredIdle, n: 3},
		{at: 261, kind: fsm.PollDue},
		{at: 262, kind: fsm.AnsweredJob, n: 4, job: "job-test-7740"},
		{at: 262.5, kind: fsm.AnsweredIdle, n: 4, cause: "late, and ignored"},
		{at: 330, kind: fsm.ReceivedResume, n: 4},
		{at: 372, kind: fsm.JobFinished, job: "job-test-7740"},
		{at: 430, kind: fsm.ReceivedPause, n: 4, cause: "maintenance of the cache"},
		{at: 500, kind: fsm.ReceivedResume, n: 4},
		{at: 520, kind: fsm.StreamEnded, n: 4, cause: "the server restarts"},
		{at: 522, kind: fsm.ReceivedResume, n: 5},
		{at: 560, kind: fsm.ReceivedJob, n: 5, job: "job-deploy-7755"},
		{at: 600, kind: fsm.DrainRequested},
		{at: 640, kind: fsm.JobFinished, job: "job-deploy-7755"},
	})
	second := recordsOf("wrk-b20c", midnight.Add(20*time.Second), []timed{
		{at: 0, kind: fsm.Started},
		{at: 15, kind: fsm.TrustExpired, n: 0},
		{at: 15, kind: fsm.PollDue},
		{at: 16, kind: fsm.AnsweredJob, n: 1, job: "job-lint-7733"},
		{at: 19, kind: fsm.JobRejected, job: "job-lint-7733", cause: "taken by another worker"},
		{at: 49, kind: fsm.PollDue},
		{at: 50, kind: fsm.AnsweredIdle, n: 2},
		{at: 60, kind: fsm.ReceivedResume, n: 1},
		{at: 300, kind: fsm.StreamLost, n: 1, cause: "no keep-alive for 30s"},
		{at: 300, kind: fsm.PollDue},
		{at: 305, kind: fsm.PollFailed, n: 3, cause: "context deadline exceeded"},
		{at: 335, kind: fsm.PollDue},
		{at: 336, kind: fsm.AnsweredPause, n: 4, cause: "out of hours"},
		{at: 366, kind: fsm.PollDue},
		{at: 367, kind: fsm.AnsweredJob, n: 5, job: "job-nightly-7749"},
		{at: 560, kind: fsm.StreamLost, n: 2, cause: "dial: i/o timeout"},
	})
	var records []fsm.Record
	for len(first)+len(second) > 0 { // in the order of time
		from := &first
		if len(first) == 0 || len(second) > 0 && second[0].Time.Before(first[0].Time) {
			from = &second
		}
		records = append(records, (*from)[0])
		*from = (*from)[1:]
	}
	return records
}

type form struct {
	name  string
	write func(*replay.Timeline, io.Writer) error
}

var forms = []form{
	{"txt", (*replay.Timeline).WriteText},
	{"json", (*replay.Timeline).WriteJSON},
	{"svg", (*replay.Timeline).WriteSVG},
}

func written(t *testing.T, f form, records []fsm.Record) string {
	t.Helper()
	var b bytes.Buffer
	if err := f.write(replay.NewTimeline(records), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestTimelineGoldens compares timelines with the goldens; -update rewrites them.
func TestTimelineGoldens(t *testing.T) {
	t.Parallel()
	for _, f := range forms {
		file := "testdata/timeline." + f.name
		got := written(t, f, badNight())
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil { //nolint:gosec // a picture for everybody
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is stale: rewrite it with go test ./fsm/replay -update, and look at it", file)
		}
	}
}

// TestTimelineForms writes timelines of all sizes: each form stays well-formed,
// and the text within its width.
func TestTimelineForms(t *testing.T) {
	t.Parallel()
	hostile := badNight()
	for i := range hostile {
		r := &hostile[i]
		r.Worker = "<script>&\"'\x1b[31m\xff" + r.Worker
		r.Cause = "]]><b>&\x00 " + strings.Repeat("long", 100)
	}
	var many []fsm.Record
	for i := range 100 {
		many = append(many, recordsOf(fmt.Sprintf("worker-%d", i), midnight, []timed{
			{kind: fsm.Started}, {at: 5, kind: fsm.ReceivedResume, n: 1},
		})...)
	}
	for _, c := range []struct {
		name    string
		records []fsm.Record
	}{
		{"none", nil}, {"one", badNight()[:1]}, {"middle", badNight()[7:9]}, {"hostile", hostile}, {"many", many}, {"night", badNight()},
	} {
		for _, f := range forms {
			text := written(t, f, c.records)
			switch f.name {
			case "svg":
				wellFormed(t, c.name, text)
			case "json":
				if !json.Valid([]byte(text)) {
					t.Errorf("%s: the JSON is not valid", c.name)
				}
			case "txt":
				for l := range strings.Lines(text) {
					if n := utf8.RuneCountInString(strings.TrimSuffix(l, "\n")); n > 110 {
						t.Errorf("%s: a line of %d columns: %s", c.name, n, l)
					}
				}
				if strings.ContainsAny(text, "\x00\x1b") || !utf8.ValidString(text) {
					t.Errorf("%s: a control character came through", c.name)
				}
			}
		}
	}
	if svg := written(t, forms[2], many); !strings.Contains(svg, "and 50 more workers, not drawn") {
		t.Error("the picture does not say that there are more workers")
	}
	if strings.Contains(written(t, forms[2], hostile), "<script>") {
		t.Error("an id is an element of the picture")
	}
}

// TestTimelineNamesDelays checks that whatever a message or a ping that is due was delayed
// by is in the text, whether or not it changes the state.
func TestTimelineNamesDelays(t *testing.T) {
	t.Parallel()
	const delay = "this agent did not run for 15s or more"
	for _, late := range []timed{
		{at: 20, kind: fsm.ReceivedResume, n: 1, cause: delay},
		{at: 20, kind: fsm.ReceivedJob, n: 1, job: "job-1", cause: delay},
		{at: 20, kind: fsm.ReceivedPause, n: 1, cause: delay},
		{at: 20, kind: fsm.TrustExpired, n: 1, cause: delay},
	} {
		text := written(t, forms[0], recordsOf("w", midnight, []timed{{kind: fsm.Started}, {at: 5, kind: fsm.ReceivedResume, n: 1}, late}))
		if n := strings.Count(strings.Join(strings.Fields(text), " "), delay); n != 1 {
			t.Errorf("%v: found %d times:\n%s", late.kind, n, text)
		}
	}
}

func wellFormed(t *testing.T, name, svg string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(svg))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%s: the SVG is not well-formed: %v", name, err)
		}
	}
}

// TestTimelineOfALongNight bounds the picture of 100000 pings.
func TestTimelineOfALongNight(t *testing.T) {
	t.Parallel()
	script := []timed{{kind: fsm.Started}, {at: 1, kind: fsm.StreamLost, n: 1, cause: "EOF"}}
	for i := range 100_000 {
		at, n := 1+float64(i)*0.5, fsm.Epoch(i+1)
		end := timed{at: at + 0.1, kind: fsm.AnsweredIdle, n: n}
		if i%7 == 0 {
			end.kind, end.cause = fsm.PollFailed, fmt.Sprintf("timeout of port %d", i)
		}
		script = append(script, timed{at: at, kind: fsm.PollDue}, end,
			timed{at: at + 0.2, kind: fsm.StreamLost, n: n + 1, cause: "dial: refused"})
	}
	records := recordsOf("worker", midnight, script)
	if n := len(written(t, forms[2], records)); n > 100_000 {
		t.Errorf("the picture has %d bytes", n)
	}
	if n := len(written(t, forms[0], records)); n > 5_000 {
		t.Errorf("the text has %d bytes", n)
	}
	s := replay.NewTimeline(records).Workers[0].Summary
	if s.Pings != 100_000 || s.FailedPings != 14_286 || s.Losses != 1 || s.Attempts != 100_000 || s.Outages != 1 {
		t.Errorf("summary: %+v", s)
	}
}
