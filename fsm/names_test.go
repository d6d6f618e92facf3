package fsm

import (
	"encoding"
	"fmt"
	"strings"
	"testing"
)

// TestNamesRoundTrip writes every value of every enumeration as text and reads it
// back.
func TestNamesRoundTrip(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of    string
		count int
		value func(i int) encoding.TextMarshaler
		read  func(text string) (any, error)
	}{
		{"state", stateCount, func(i int) encoding.TextMarshaler { return State(i) }, reading[State]},
		{"event", eventKindCount, func(i int) encoding.TextMarshaler { return EventKind(i) }, reading[EventKind]},
		{"effect", effectKindCount, func(i int) encoding.TextMarshaler { return EffectKind(i) }, reading[EffectKind]},
		{"reason", leaveReasonCount, func(i int) encoding.TextMarshaler { return LeaveReason(i) }, reading[LeaveReason]},
		{"mode", modeCount, func(i int) encoding.TextMarshaler { return Mode(i) }, reading[Mode]},
		{"stream", streamStatusCount, func(i int) encoding.TextMarshaler { return StreamStatus(i) }, reading[StreamStatus]},
	} {
		t.Run(c.of, func(t *testing.T) {
			t.Parallel()
			for i := range c.count {
				value := c.value(i)
				text, err := value.MarshalText()
				if err != nil {
					t.Fatal(err)
				}
				if again, err := c.read(string(text)); err != nil || again != any(value) {
					t.Errorf("%v is written as %q and read as %v: %v", value, text, again, err)
				}
			}
			if _, err := c.read("no such name"); err == nil || !strings.Contains(err.Error(), `"no such name"`) {
				t.Errorf("an unknown name: %v", err)
			}
		})
	}
}

// reading reads a value with UnmarshalText.
func reading[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](text string) (any, error) {
	var value T
	if err := P(&value).UnmarshalText([]byte(text)); err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	return value, nil
}
