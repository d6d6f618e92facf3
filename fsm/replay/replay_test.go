package replay_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/replay"
)

const scenarios = "../../testdata/scenarios"

// TestReplayRunsEveryScenario runs each script of testdata/scenarios as `fsm
// replay` does.
func TestReplayRunsEveryScenario(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(scenarios + "/*.txt")
	if err != nil || len(files) < 60 {
		t.Fatalf("%d scenarios, %v", len(files), err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var p replay.Replay
		if err := p.Read(filepath.Base(name), bytes.NewReader(text)); err != nil {
			t.Error(err)
		}
		if p.Checked == 0 || p.Checked != len(p.Records) {
			t.Errorf("%s: %d steps held, and %d are kept", name, p.Checked, len(p.Records))
		}
	}
}

// recorded returns the records of a worker that gets a job over the stream, loses
// the stream during it, and polls.
func recorded(t testing.TB) []fsm.Record {
	t.Helper()
	at := time.Date(2026, 1, 1, 22, 0, 0, 0, time.UTC)
	var state fsm.State
	var facts fsm.Facts
	var records []fsm.Record
	for _, ev := range []fsm.Event{
		{Kind: fsm.Started},
		{Kind: fsm.ReceivedResume, Epoch: 1},
		{Kind: fsm.ReceivedJob, Epoch: 1, Job: "J1"},
		{Kind: fsm.ReceivedJob, Epoch: 1, Job: "J2"},
		{Kind: fsm.StreamLost, Epoch: 1},
		{Kind: fsm.JobFinished, Job: "J1"},
		{Kind: fsm.PollDue},
		{Kind: fsm.AnsweredJob, Epoch: 1, Job: "J1"},
	} {
		r := fsm.Record{Time: at, Worker: "w", Event: ev, Cause: "because"}
		to, after, effects, d := fsm.Advance(state, &facts, ev)
		r.SetAnswer(state, to, &d, effects, &after)
		records = append(records, r)
		state, facts, at = to, after, at.Add(time.Second)
	}
	return records
}

// logged returns records as a log; those at the indices in whole are whole.
func logged(records []fsm.Record, whole ...int) string {
	text := fsm.NewLogHeader("test", "", time.Time{}).Encode(nil)
	for i := range records {
		text = records[i].Encode(text, slices.Contains(whole, i))
	}
	return string(text)
}

func TestReplayOfLogs(t *testing.T) {
	t.Parallel()
	records := recorded(t)
	all := logged(records, 0)
	gap := string(fsm.LogGap{Dropped: 3}.Encode(nil))
	for _, c := range []struct {
		name, log                 string
		checked, onFaith, dropped int
		cut, other                bool
	}{
		{name: "from the start", log: all, checked: len(records)},
		{name: "blank lines do not matter", log: "\n" + strings.ReplaceAll(all, "\n", "\n\n"), checked: len(records)},
		{name: "from the middle", log: logged(records[3:], 0), checked: len(records) - 4, onFaith: 1},
		{name: "from the middle, unknown what was seen", log: logged(records[3:], 2), checked: len(records) - 6, onFaith: 3},
		{
			name: "a gap", log: logged(records[:2], 0) + gap + strings.SplitAfterN(logged(records[5:], 0), "\n", 2)[1],
			checked: 2 + len(records) - 6, onFaith: 1, dropped: 3,
		},
		{name: "two files", log: logged(records[:4], 0) + logged(records[4:], 0), checked: len(records)},
		{name: "cut off", log: all[:len(all)-20], checked: len(records) - 1, cut: true},
		{name: "of another table", log: strings.Replace(all, fsm.TableHash(), "0123456789abcdef", 1), checked: len(records), other: true},
		{name: "nothing but a header", log: logged(nil)},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var p replay.Replay
			if err := p.Read("log", strings.NewReader(c.log)); err != nil {
				t.Fatal(err)
			}
			if p.Checked != c.checked || p.OnFaith != c.onFaith || p.Dropped != uint64(c.dropped) || p.Cut != c.cut || (p.OtherTable() != "") != c.other {
				t.Errorf("checked %d, on faith %d, dropped %d, cut %v, other table %q", p.Checked, p.OnFaith, p.Dropped, p.Cut, p.OtherTable())
			}
		})
	}
}

// TestDivergence changes one thing in a log, and shows the error.
func TestDivergence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(records []fsm.Record)
		line   int
		want   []string
	}{
		{"another state", func(r []fsm.Record) { r[2].To = fsm.FallingBack }, 4, []string{
			"log:4: the answer of the table differs from the recorded one on ReceivedJob epoch=1 job=J1 of worker w",
			"recorded:\n  StreamHealthy -> FallingBack [not paused, not seen]\n",
			"answer of the table:\n  StreamHealthy -> Running [not paused, not seen]\n",
		}},
		{"another guard", func(r []fsm.Record) { r[5].Guard = "otherwise" }, 7, []string{"[otherwise]", "[polling allowed]"}},
		{"an effect missing", func(r []fsm.Record) { r[6].Effects = nil }, 8, []string{"    send ping, epoch 1"}},
		{"another effect", func(r []fsm.Record) {
			r[2].Effects = []fsm.Effect{{Kind: fsm.StartJob, Job: "J9"}}
		}, 4, []string{"start job J9", "start job J1"}},
		{"ignored", func(r []fsm.Record) { r[3].Ignored = "no reason" }, 5, []string{"ignored: no reason", "Running [not seen or in hand]"}},
		{"another fact", func(r []fsm.Record) { r[3].Facts.Paused = true }, 5, []string{"paused job=J1", "stream=up job=J1"}},
		{"an event missing", func(r []fsm.Record) { r[2].Worker = "v" }, 5, []string{"Running [not seen or in hand]", "StreamHealthy -> Running"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			records := recorded(t)
			c.change(records)
			var p replay.Replay
			err := p.Read("log", strings.NewReader(logged(records, 0)))
			d, ok := errors.AsType[*replay.DivergenceError](err)
			if !ok || d.Line != c.line || len(p.Records) != c.line-2 {
				t.Fatalf("want a divergence in line %d, after %d records: %v", c.line, len(p.Records), err)
			}
			for _, want := range c.want {
				if text := d.Error() + "\n" + d.Detail(); !strings.Contains(text, want) {
					t.Errorf("the error does not contain %q:\n%s", want, text)
				}
			}
		})
	}
}

// TestReplayRefuses shows the errors of files that are neither a script nor a log.
func TestReplayRefuses(t *testing.T) {
	t.Parallel()
	header := logged(nil)
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "f: the file is empty"},
		{"blank", " \n\n", "f: the file is empty"},
		{"no JSON", header + "{]\n{}", "f: line 2: reading JSON: "},
		{"no record", header + "{}\n", "f: line 2: it is neither a header, nor a record, nor a gap"},
		{"half a record", header + `{"event":"PollDue"}` + "\n", "f: line 2: it is neither"},
		{"no such event", header + `{"event":"PollDone"}` + "\n", `no event is called "PollDone"`},
		{"another form", `{"transition_log":3}` + "\n", "the log has form 3, and this program reads forms 1 to 2"},
		{"a long line", header + `{"cause":"` + strings.Repeat("x", 1<<20) + `"}` + "\n", "f: line 2: it is longer than 1048576 bytes"},
		{"prose", "What a night.\nIt rained.\n", `f: line 2: want ---- after the command of line 1, not "It rained."`},
		{"no such command", "start\n----\n" + startAnswer + "\nDance\n----\n", `f: line 7: unknown command "Dance"`},
		{"not started", "PollDue\n----\n", "f: line 1: no machine: begin the script with start"},
		{"a bad number", "start\n----\n" + startAnswer + "\nPollFailed epoch=x\n----\n", `f: line 7: PollFailed: epoch "x" is not a whole number`},
		{"a wrong answer", "start\n----\nInitial -> Running\n", "f:1: the answer of the table differs from the recorded one on start"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var p replay.Replay
			if err := p.Read("f", strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, which does not contain %q", err, c.want)
			}
		})
	}
}

const startAnswer = "Initial -> StreamHealthy [otherwise]\n  open stream\n  arm first-message deadline, epoch 0\n"

// FuzzRead shows that no file makes a replay fail otherwise than by an error, and
// that what holds is kept.
func FuzzRead(f *testing.F) {
	records := recorded(f)
	f.Add([]byte(logged(records, 0)))
	f.Add([]byte(logged(records, 1) + string(fsm.LogGap{Dropped: 1}.Encode(nil)) + logged(records[4:], 0)))
	f.Add([]byte("start mode=acquire job=J1\n----\nInitial -> PollingBusy [acquire mode]\n  acquire job J1\n\nfacts\n----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var p replay.Replay
		err := p.Read("f", bytes.NewReader(text))
		if len(p.Records) != p.Checked+p.OnFaith {
			t.Errorf("%d records, of which %d held and %d on faith: %v", len(p.Records), p.Checked, p.OnFaith, err)
		}
		replay.NewTimeline(p.Records)
	})
}

// BenchmarkReplay is the time to check a record.
func BenchmarkReplay(b *testing.B) {
	text := logged(recorded(b), 0)
	records := strings.Count(text, "\n") - 1
	for b.Loop() {
		var p replay.Replay
		if err := p.Read("log", strings.NewReader(text)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*records), "ns/record")
}
