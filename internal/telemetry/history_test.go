package telemetry

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/replay"
)

// night is a worker that goes through events, one each second.
type night struct {
	t       *testing.T
	machine *fsm.Machine
	at      time.Time
	ping    fsm.Epoch
	records []fsm.Record
}

func newNight(t *testing.T) *night {
	t.Helper()
	machine, err := fsm.New(fsm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	n := &night{t: t, machine: machine, at: time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)}
	n.step(fsm.Event{Kind: fsm.Started}, "")
	return n
}

func (n *night) step(ev fsm.Event, cause string) {
	n.t.Helper()
	if _, err := n.machine.Step(ev); err != nil {
		n.t.Fatal(err)
	}
	n.at = n.at.Add(time.Second)
	r := n.machine.Record(n.at, "w", cause)
	r.Name = "box"
	n.records = append(n.records, r)
}

// pings are pings one after another.
func (n *night) pings(count int, kind fsm.EventKind, cause string) {
	n.t.Helper()
	for range count {
		n.step(fsm.Event{Kind: fsm.PollDue}, "")
		n.ping++
		n.step(fsm.Event{Kind: kind, Epoch: n.ping}, cause)
	}
}

// TestHistoryFoldsWhatRepeats shows how many lines events become, and that a replay counts
// each ping.
func TestHistoryFoldsWhatRepeats(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name          string
		events        func(n *night)
		lines, pings  int
		failed, folds int
	}{
		{"no ping", func(*night) {}, 1, 0, 0, 0},
		{"one ping", func(n *night) { n.lost(); n.pings(1, fsm.AnsweredIdle, "") }, 4, 1, 0, 0},
		{"a hundred pings", func(n *night) { n.lost(); n.pings(100, fsm.AnsweredIdle, "") }, 5, 100, 0, 1},
		{"equal failures", func(n *night) { n.lost(); n.pings(100, fsm.PollFailed, "refused") }, 5, 100, 100, 1},
		{"two causes", func(n *night) {
			n.lost()
			n.pings(10, fsm.PollFailed, "refused")
			n.pings(10, fsm.PollFailed, "no route")
		}, 8, 20, 20, 2},
		{"an end in the middle of a ping", func(n *night) {
			n.lost()
			n.pings(10, fsm.AnsweredIdle, "")
			n.step(fsm.Event{Kind: fsm.PollDue}, "")
		}, 6, 11, 0, 1},
		{"a recovery", func(n *night) {
			n.lost()
			n.pings(10, fsm.AnsweredIdle, "")
			n.step(fsm.Event{Kind: fsm.ReceivedResume, Epoch: 2}, "")
		}, 6, 10, 0, 1},
		{"keep-alives", func(n *night) {
			for range 100 {
				n.step(fsm.Event{Kind: fsm.ReceivedResume, Epoch: 1}, "")
			}
		}, 3, 0, 0, 1},
		{"a keep-alive after the agent was stopped", func(n *night) {
			for range 50 {
				n.step(fsm.Event{Kind: fsm.ReceivedResume, Epoch: 1}, "")
			}
			n.step(fsm.Event{Kind: fsm.ReceivedResume, Epoch: 1}, "this agent did not run for 15s or more")
			for range 50 {
				n.step(fsm.Event{Kind: fsm.ReceivedResume, Epoch: 1}, "")
			}
		}, 6, 0, 0, 2},
		{"an hour of pings", func(n *night) { n.lost(); n.pings(1800, fsm.AnsweredIdle, "") }, 10, 1800, 0, 6},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "history")
			h, err := OpenHistory(path, "test", zaptest.NewLogger(t))
			if err != nil {
				t.Fatal(err)
			}
			n := newNight(t)
			row.events(n)
			for _, r := range n.records {
				h.Record(r)
			}
			h.Close()
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(string(text), "\n") - 1; got < row.lines-1 || got > row.lines+1 {
				t.Errorf("%d records, want about %d:\n%s", got, row.lines, text)
			}
			var p replay.Replay
			if err := p.Read("history", strings.NewReader(string(text))); err != nil {
				t.Fatal(err)
			}
			if got := p.Checked + p.Folded + p.OnFaith; got != len(n.records) || p.OnFaith != 0 {
				t.Errorf("%d events checked, %d folded, %d on faith of %d", p.Checked, p.Folded, p.OnFaith, len(n.records))
			}
			w := replay.NewTimeline(p.Records).Workers[0]
			if w.Summary.Pings != row.pings || w.Summary.FailedPings != row.failed || w.Name != "box" {
				t.Errorf("%d pings, %d failed, name %q; want %d, %d", w.Summary.Pings, w.Summary.FailedPings, w.Name, row.pings, row.failed)
			}
			folds := 0
			for _, r := range p.Records {
				if r.Folded > 0 {
					folds++
				}
			}
			if folds != row.folds {
				t.Errorf("%d folded records, want %d", folds, row.folds)
			}
		})
	}
}

// lost makes the worker poll.
func (n *night) lost() { n.step(fsm.Event{Kind: fsm.StreamLost, Epoch: 1}, "reset") }

// TestHistoryOfKilledAgents shows that a worker that was killed with its process is distinguished
// from one that has left, and from one that still runs.
func TestHistoryOfKilledAgents(t *testing.T) {
	t.Parallel()
	header := func(process string) string {
		return string(fsm.NewLogHeader("test", process, time.Date(2026, 11, 27, 2, 0, 0, 0, time.UTC)).Encode(nil))
	}
	lines := func(id string, leaves bool) string {
		n := newNight(t)
		if leaves {
			n.step(fsm.Event{Kind: fsm.DrainRequested}, "")
		}
		var text []byte
		for i := range n.records {
			n.records[i].Worker = id
			text = n.records[i].Encode(text, i == 0)
		}
		return string(text)
	}
	var p replay.Replay
	text := header("1") + lines("killed", false) + lines("left", true) + header("1") + header("2") + lines("running", false)
	if err := p.Read("history", strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if kill := p.Killed["killed"]; len(p.Killed) != 1 || kill.After.Hour() != 1 || kill.Before.Hour() != 2 {
		t.Errorf("killed %v, want only the first worker", p.Killed)
	}
	p.Continues(time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC))
	ends := map[string]string{}
	describe := func(f replay.Filter) {
		clear(ends)
		for _, w := range p.Timeline(f).Workers {
			ends[w.Worker] = fmt.Sprintf("%v %v %s", w.Killed, w.Left != nil, w.End.Format(time.Kitchen))
		}
	}
	describe(replay.Filter{})
	if want := map[string]string{"killed": "true false 1:00AM", "left": "false true 1:00AM", "running": "false false 3:00AM"}; !maps.Equal(ends, want) {
		t.Errorf("workers end as %v, want %v", ends, want)
	}
	describe(replay.Filter{Until: time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)})
	if len(ends) != 0 {
		t.Errorf("workers before they began: %v", ends)
	}
	p.Ended(time.Date(2026, 11, 27, 4, 0, 0, 0, time.UTC))
	describe(replay.Filter{Workers: []string{"running"}})
	if want := map[string]string{"running": "true false 3:00AM"}; !maps.Equal(ends, want) {
		t.Errorf("after the end of the process the workers end as %v, want %v", ends, want)
	}
}

// TestHistoryIsSaved shows that what is held back is saved, too.
func TestHistoryIsSaved(t *testing.T) {
	h, err := OpenHistory(filepath.Join(t.TempDir(), "history"), "test", zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	t.Setenv("TMPDIR", t.TempDir())
	n := newNight(t)
	n.lost()
	n.pings(20, fsm.AnsweredIdle, "")
	for _, r := range n.records {
		h.Record(r)
	}
	path, err := h.Save()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var p replay.Replay
	if err := p.Read("history", strings.NewReader(string(text))); err != nil || p.Checked+p.Folded != len(n.records) {
		t.Errorf("%d of %d events, %v", p.Checked+p.Folded, len(n.records), err)
	}
	if texts, err := ReadHistory(h.path); err != nil || len(texts) != 1 || !bytes.Equal(texts[0], text) {
		t.Errorf("the history and what was saved of it differ: %q, %v", texts, err)
	}
}

// TestHistoryIsReadOldestFirst reads files that were renamed, one of them while it is read,
// and an empty one.
func TestHistoryIsReadOldestFirst(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "history")
	if texts, err := ReadHistory(path); err != nil || len(texts) != 0 {
		t.Errorf("without a history: %q, %v", texts, err)
	}
	for name, text := range map[string]string{"": "", ".1": "newest", ".3": "older", ".4": "oldest", ".5": "none of it"} {
		if err := os.WriteFile(path+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(path+".1", path+".2"); err != nil {
		t.Skip(err)
	}
	texts, err := ReadHistory(path)
	if got := string(bytes.Join(texts, []byte(" "))); err != nil || got != "oldest older newest" {
		t.Errorf("%q, %v", got, err)
	}
	if err := os.Remove(path + ".3"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path+".3", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadHistory(path); err == nil || !strings.Contains(err.Error(), "reading the history: ") {
		t.Errorf("a directory in place of a file: %v", err)
	}
}
