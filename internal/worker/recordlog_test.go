package worker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/fsm"
)

// While a worker polls, its log has the changes, and a line a minute.
func TestLogOfAWorkerThatPolls(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		mode   fsm.Mode
		stream bool             // the stream was in control, and is lost at the beginning
		fails  func(n int) bool // whether the ping fails
		back   bool             // the stream comes back at the end
		want   []string
	}{
		"the stream is lost for three minutes": {
			stream: true, back: true,
			want: []string{
				"0s info StreamHealthy FallingBack StreamLost", "0s info FallingBack PollingBusy PollDue", "1s info PollingBusy FallingBack AnsweredIdle",
				"1m0s info still polling 30 0", "2m0s info still polling 30 0", "3m0s info still polling 30 0",
				"3m2s info FallingBack StreamHealthy ReceivedResume",
			},
		},
		"pings fail, too, for a while": {
			stream: true, fails: func(n int) bool { return n >= 10 && n < 40 },
			want: []string{
				"0s info StreamHealthy FallingBack StreamLost", "0s info FallingBack PollingBusy PollDue", "1s info PollingBusy FallingBack AnsweredIdle",
				"21s info PollingBusy FallingBack PollFailed", "1m0s warn still polling 30 20",
				"1m21s info PollingBusy FallingBack AnsweredIdle", "2m0s warn still polling 30 10", "3m0s info still polling 30 0",
			},
		},
		"it was started to poll": {
			mode: fsm.PollOnly,
			want: []string{"0s info FallingBack PollingBusy PollDue", "1s info PollingBusy FallingBack AnsweredIdle"},
		},
		"it was started to poll, and pings fail": {
			mode: fsm.PollOnly, fails: func(n int) bool { return n >= 70 },
			want: []string{
				"0s info FallingBack PollingBusy PollDue", "1s info PollingBusy FallingBack AnsweredIdle",
				"2m21s info PollingBusy FallingBack PollFailed", "3m0s warn still polling 30 20",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := fsm.Config{Mode: row.mode}
			machine, err := fsm.New(config)
			if err != nil {
				t.Fatal(err)
			}
			core, logs := observer.New(zap.InfoLevel)
			var l recordLog
			var got []string
			begin := time.Unix(1000, 0)
			step := func(at time.Duration, ev fsm.Event) {
				if _, err := machine.Step(ev); err != nil {
					t.Fatal(err)
				}
				r := machine.Record(begin.Add(at), "w", "refused")
				l.record(zap.New(core), &r)
				for _, line := range logs.TakeAll() {
					fields := line.ContextMap()
					text := fmt.Sprint(at, " ", line.Level, " ", line.Message, " ", fields["pings"], " ", fields["failed"])
					if line.Message == "state changed" {
						event, _, _ := strings.Cut(fmt.Sprint(fields["event"]), " ")
						text = fmt.Sprint(at, " ", line.Level, " ", fields["from"], " ", fields["to"], " ", event)
					}
					got = append(got, text)
				}
			}
			step(-10*time.Second, config.Start())
			if row.stream {
				step(-5*time.Second, fsm.Event{Kind: fsm.ReceivedResume, Epoch: 1})
				got = nil
				step(0, fsm.Event{Kind: fsm.StreamLost, Epoch: 1})
			} else {
				got, l.since, l.told = nil, begin, begin
			}
			for n := range 91 { // pings every two seconds, for three minutes
				at := time.Duration(n) * 2 * time.Second
				step(at, fsm.Event{Kind: fsm.PollDue})
				outcome := fsm.Event{Kind: fsm.AnsweredIdle, Epoch: fsm.Epoch(n + 1)}
				if row.fails != nil && row.fails(n) {
					outcome.Kind = fsm.PollFailed
				}
				step(at+time.Second, outcome)
			}
			if row.back {
				step(182*time.Second, fsm.Event{Kind: fsm.ReceivedResume, Epoch: 2})
			}
			if !slices.Equal(got, row.want) {
				t.Errorf("logged\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(row.want, "\n"))
			}
		})
	}
}
