package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

const ms = time.Millisecond

func TestBusiestSlice(t *testing.T) {
	for _, c := range []struct {
		name string
		at   []time.Duration
		want int
	}{
		{"nobody", nil, 0},
		{"apart", []time.Duration{0, 100 * ms, 200 * ms}, 1},
		{"the ends of a slice", []time.Duration{0, 99 * ms, 100 * ms}, 2},
		{"before the start", []time.Duration{-50 * ms, 50 * ms, -1 * ms}, 2},
	} {
		var arrivals []arrival
		for _, at := range c.at {
			arrivals = append(arrivals, arrival{at: at})
		}
		if got := busiest(arrivals); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// TestStormEvents combines the requests that the control plane received and those
// of the agent's transition log while it was away.
func TestStormEvents(t *testing.T) {
	began := time.Date(2026, 8, 21, 12, 0, 0, 0, time.UTC)
	s := storm{way: restart{crash: true}, workers: 2, begin: began, back: 10 * time.Second}
	at := began.Add
	s.addEvents([]event{
		{kind: heartbeatSent, at: at(-time.Second), worker: "a"},
		{kind: pingSent, at: at(11 * time.Second), worker: "a"},
		{kind: streamRequested, at: at(12 * time.Second), worker: "a"},
		{kind: messageSent, at: at(12500 * ms), worker: "a"},
		{kind: messageSent, at: at(13 * time.Second), worker: "a"}, // a keep-alive
		{kind: jobAccepted, at: at(13 * time.Second), worker: "a"},
	})
	if len(s.streams) != 1 || len(s.pings) != 1 || len(s.beats) != 1 || s.whole != 12500*ms {
		t.Fatalf("events: %+v", s)
	}

	log := fsm.NewLogHeader("test", "", time.Time{}).Encode(nil)
	machine, err := fsm.New(fsm.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		at    time.Duration
		event fsm.Event
	}{
		{-2 * time.Second, fsm.Event{Kind: fsm.Started}},
		{-time.Second, fsm.Event{Kind: fsm.ReceivedResume, Epoch: 1}},
		{1 * ms, fsm.Event{Kind: fsm.StreamLost, Epoch: 1}}, // the cut itself
		{2 * ms, fsm.Event{Kind: fsm.PollDue}},
		{3 * ms, fsm.Event{Kind: fsm.PollFailed, Epoch: 1}},
		{500 * ms, fsm.Event{Kind: fsm.StreamLost, Epoch: 2}},
		{2 * time.Second, fsm.Event{Kind: fsm.PollDue}},
		{2001 * ms, fsm.Event{Kind: fsm.PollFailed, Epoch: 2}},
		{11 * time.Second, fsm.Event{Kind: fsm.PollDue}}, // received by the control plane
	} {
		log = append(log, record(t, machine, at(step.at), step.event)...)
	}
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, log, privateMode); err != nil {
		t.Fatal(err)
	}
	if err := s.read(path); err != nil {
		t.Fatal(err)
	}
	if len(s.streams) != 2 || s.streams[1] != (arrival{at: 500 * ms, refused: true}) {
		t.Errorf("streams: %+v", s.streams)
	}
	if len(s.pings) != 3 || !s.pings[1].first || s.pings[2] != (arrival{at: 2 * time.Second, refused: true}) || len(s.laterPings()) != 2 {
		t.Errorf("pings: %+v", s.pings)
	}
}

// record returns an event of a machine as a line of its transition log.
func record(t *testing.T, machine *fsm.Machine, at time.Time, event fsm.Event) []byte {
	t.Helper()
	if _, err := machine.Step(event); err != nil {
		t.Fatal(err)
	}
	r := machine.Record(at, "a", "")
	return r.Encode(nil, true)
}

func TestStormPicture(t *testing.T) {
	p := plan{crowd: 10}
	var storms []storm
	for _, way := range restarts() {
		storms = append(storms, storm{
			way: way, workers: 10, back: 5 * time.Second, whole: 6 * time.Second, span: 8 * time.Second,
			pings:   []arrival{{at: ms, refused: true}, {at: ms, refused: true}, {at: ms, refused: true}, {at: 6 * time.Second}},
			streams: []arrival{{at: 700 * ms, refused: true}, {at: 6 * time.Second}},
		})
	}
	picture := plotStorms(p, storms)
	for decoder := xml.NewDecoder(bytes.NewReader(picture)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("not XML: %v\n%s", err, picture)
		}
	}
	for class, want := range map[string]int{
		`class="refused"`: 1 + 2*2, `class="came"`: 1 + 2*2, `class="away"`: 1 + 2*3, `class="window"`: 2 * 3, `>3</text>`: 2,
	} {
		if got := strings.Count(string(picture), class); got != want {
			t.Errorf("%s occurs %d times, want %d", class, got, want)
		}
	}
}
