package transport_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/transport"
)

// TestStreamPace shows when a stream reconnects. Package pace tests the rules.
func TestStreamPace(t *testing.T) {
	works := send(resume())
	rows := []struct {
		name        string
		streams     []serve
		answer      http.HandlerFunc // instead of streams
		event       int              // the one before the pause
		least, most time.Duration    // of the pause
	}{
		{name: "the first attempt", streams: []serve{inOrder(works, hold)}, event: -1, most: 10 * time.Millisecond},
		{name: "after a planned end", streams: []serve{inOrder(works, wait(time.Minute)), inOrder(works, hold)}, event: 1, most: time.Second},
		{name: "after a loss", streams: []serve{inOrder(works, wait(time.Minute), failWith(connect.CodeInternal)), inOrder(works, hold)}, event: 1, most: time.Second},
		{name: "after a failed attempt", streams: []serve{failWith(connect.CodeUnavailable)}, event: 0, most: 10100 * time.Millisecond},
		{name: "after a refusal", streams: []serve{failWith(connect.CodeUnimplemented)}, event: 0, least: 8 * time.Minute, most: 12 * time.Minute},
		{
			name: "Retry-After with a status", answer: reply(503, "", "Retry-After", "300"), event: 0,
			least: 300 * time.Second, most: 310 * time.Second,
		},
		{
			name: "Retry-After in trailers", event: 0, least: 300 * time.Second, most: 310 * time.Second,
			streams: []serve{func(context.Context, *streamOut) error {
				err := connect.NewError(connect.CodeUnavailable, errors.New("full"))
				err.Meta().Set("Retry-After", "300")
				return err
			}},
		},
		{
			name: "Retry-After in trailers after a message", event: 1, least: 300 * time.Second, most: 301 * time.Second,
			streams: []serve{inOrder(works, func(context.Context, *streamOut) error {
				err := connect.NewError(connect.CodeUnavailable, errors.New("full"))
				err.Meta().Set("Retry-After", "300")
				return err
			})},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, handler := newStreamServer(row.streams...)
				if row.answer != nil {
					mux := http.NewServeMux()
					mux.HandleFunc(procedure, row.answer)
					handler = registering(mux)
				}
				stream := run(t, newHarness(t, handler).register(t), transport.StreamOptions{})
				events := stream.until(t, row.event+2)
				var from time.Duration
				if row.event >= 0 {
					from = events[row.event].at
				}
				if paused := events[row.event+1].at - from; paused < row.least || paused > row.most {
					t.Errorf("after %s, want %s to %s", paused, row.least, row.most)
				}
			})
		})
	}
}

// TestPingBringsAttemptForward shows that after an outage of a minute the first ping that
// succeeds brings the stream back within a second.
func TestPingBringsAttemptForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, handler := newStreamServer(inOrder(send(resume()), hold))
		harness := newHarness(t, handler)
		session := harness.register(t)
		harness.network.Refuse.Store(true)
		harness.network.Cut()
		stream := run(t, session, transport.StreamOptions{})
		session.PingFailed()
		time.Sleep(time.Minute)
		harness.network.Refuse.Store(false)
		back := time.Since(stream.started)
		session.PingSucceeded()
		time.Sleep(time.Second)
		events := stream.all()
		if last := events[len(events)-1]; last.Kind != transport.StreamMessage || last.at-back > time.Second {
			t.Errorf("got %v", events)
		}
	})
}

// TestStreamLog shows the log lines: none for planned reconnects, one for a loss, one for
// a recovery, one for a refusal.
func TestStreamLog(t *testing.T) {
	planned := inOrder(send(resume()), wait(time.Minute))
	rows := []struct {
		name    string
		streams []serve
		events  int
		want    string
	}{
		{
			"five planned reconnects, then a loss and a recovery",
			[]serve{planned, planned, planned, planned, planned, inOrder(planned, failWith(connect.CodeInternal)), failWith(connect.CodeUnavailable), failWith(connect.CodeUnavailable), inOrder(send(resume()), hold)},
			15, "warn stream lost\ninfo stream restored",
		},
		{
			"two losses",
			[]serve{inOrder(planned, failWith(connect.CodeInternal)), inOrder(planned, failWith(connect.CodeInternal)), inOrder(send(resume()), hold)},
			5, "warn stream lost\ninfo stream restored\nwarn stream lost\ninfo stream restored",
		},
		{
			"refused",
			[]serve{failWith(connect.CodeUnimplemented)},
			4,
			"warn stream refused by the control plane; will retry about every ten minutes",
		},
		{
			"refused after it has worked",
			[]serve{planned, failWith(connect.CodeUnimplemented), failWith(connect.CodeUnimplemented), failWith(connect.CodeUnimplemented), inOrder(send(resume()), hold)},
			6,
			"warn stream lost\nwarn stream refused by the control plane; will retry about every ten minutes\ninfo stream restored",
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, handler := newStreamServer(row.streams...)
				harness := newHarness(t, handler)
				stream := run(t, harness.register(t), transport.StreamOptions{})
				stream.until(t, row.events)
				var got []string
				for _, entry := range harness.logs.All() {
					if entry.Level > zapcore.DebugLevel {
						got = append(got, entry.Level.String()+" "+entry.Message)
					}
				}
				if text := strings.Join(got, "\n"); text != row.want {
					t.Errorf("got\n%s\nwant\n%s", text, row.want)
				}
			})
		})
	}
}
