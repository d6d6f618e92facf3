package admission

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestGate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		gate := newGate(10, time.Second)
		first, err := gate.Enter(t.Context(), 6)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := gate.Enter(t.Context(), 6); !errors.Is(err, ErrBusy) || time.Since(start) != time.Second {
			t.Errorf("entering a full gate: %v after %v, want ErrBusy after 1s", err, time.Since(start))
		}
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := gate.Enter(canceled, 6); !errors.Is(err, context.Canceled) {
			t.Errorf("entering with a canceled context: %v", err)
		}
		time.AfterFunc(time.Second/2, func() { first(); first() }) // the second call must not release again
		second, err := gate.Enter(t.Context(), 6)
		if err != nil {
			t.Fatalf("entering when there is room: %v", err)
		}
		if _, err := gate.Enter(t.Context(), 6); !errors.Is(err, ErrBusy) {
			t.Errorf("entering a full gate: %v, want ErrBusy", err)
		}
		second()
		whole, err := gate.Enter(t.Context(), 1000)
		if err != nil {
			t.Errorf("a request that is heavier than the gate, alone: %v", err)
		}
		whole()
	})
}

func TestWeight(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name          string
		length, limit int64
		compressed    bool
		want          int64
	}{
		{"known length", 10, 1000, false, 4*10 + overhead},
		{"no body", 0, 1000, false, overhead},
		{"unknown length", -1, 1000, false, 4*1000 + overhead},
		{"longer than the limit", 5000, 1000, false, 4*1000 + overhead},
		{"compressed", 10, 1000, true, 4*1000 + overhead},
	} {
		if got := Weight(row.length, row.limit, row.compressed); got != row.want {
			t.Errorf("%s: weight %d, want %d", row.name, got, row.want)
		}
	}
}
