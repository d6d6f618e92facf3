package process

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// fake is a program that reacts as the test says.
type fake struct {
	exited     chan struct{}
	onSignal   func(*fake)
	onKill     func(*fake)
	signals    []string
	signaledAt []time.Time
}

func (f *fake) done() <-chan struct{} { return f.exited }

func (f *fake) terminate() error {
	f.signals, f.signaledAt = append(f.signals, "term"), append(f.signaledAt, time.Now())
	if f.onSignal != nil {
		f.onSignal(f)
	}
	return nil
}

func (f *fake) kill() error {
	f.signals, f.signaledAt = append(f.signals, "kill"), append(f.signaledAt, time.Now())
	if f.onKill == nil {
		return errors.New("not permitted")
	}
	f.onKill(f)
	return nil
}

func endAfter(d time.Duration) func(*fake) {
	return func(f *fake) { time.AfterFunc(d, func() { close(f.exited) }) }
}

var errCanceled = errors.New("canceled")

const superviseGrace = 10 * time.Second

func TestSupervise(t *testing.T) {
	t.Parallel()
	const (
		grace    = superviseGrace
		killWait = 7 * time.Second
	)
	tests := []struct {
		name     string
		begin    func(*fake)
		onSignal func(*fake)
		onKill   func(*fake)
		cancelAt time.Duration // 0: never
		want     End           // without SignaledAt, Cause and SignalErr
		signals  []string
		over     time.Duration
	}{
		{name: "ends by itself", begin: endAfter(time.Hour), want: End{Exited: true}, over: time.Hour},
		{
			name: "ends at the cancel signal", onSignal: endAfter(0), cancelAt: time.Second,
			want: End{Exited: true}, signals: []string{"term"}, over: time.Second,
		},
		{
			name: "ends within the grace period", onSignal: endAfter(grace - 1), cancelAt: time.Second,
			want: End{Exited: true, Took: grace - 1}, signals: []string{"term"}, over: time.Second + grace - 1,
		},
		{
			name: "is killed after the grace period", onKill: endAfter(time.Second), cancelAt: time.Second,
			want:    End{Exited: true, Killed: true, Took: grace + time.Second},
			signals: []string{"term", "kill"}, over: time.Second + grace + time.Second,
		},
		{
			name: "survives SIGKILL", onKill: func(*fake) {}, cancelAt: time.Second,
			want: End{Killed: true, Took: grace + killWait}, signals: []string{"term", "kill"}, over: time.Second + grace + killWait,
		},
		{
			name: "cannot be killed", cancelAt: time.Second,
			want: End{Killed: true, Took: grace + killWait}, signals: []string{"term", "kill"}, over: time.Second + grace + killWait,
		},
		{
			name: "has ended when it is canceled", begin: func(f *fake) { close(f.exited) }, cancelAt: time.Nanosecond,
			want: End{Exited: true},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{exited: make(chan struct{}), onSignal: tt.onSignal, onKill: tt.onKill}
				if tt.begin != nil {
					tt.begin(f)
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if tt.cancelAt > 0 {
					time.AfterFunc(tt.cancelAt, func() { cancel(errCanceled) })
				}
				began := time.Now()
				got := supervise(ctx, f, grace, killWait)
				if over := time.Since(began); over != tt.over {
					t.Errorf("took %v, want %v", over, tt.over)
				}
				checkEnd(t, f, got, tt.want, tt.signals)
				synctest.Wait()
			})
		})
	}
}

func checkEnd(t *testing.T, f *fake, got, want End, signals []string) {
	t.Helper()
	if got.Exited != want.Exited || got.Killed != want.Killed || got.Took != want.Took {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !slices.Equal(f.signals, signals) {
		t.Errorf("signals %v, want %v", f.signals, signals)
	}
	var cause error
	if len(signals) > 0 {
		cause = errCanceled
	}
	if !errors.Is(got.Cause, cause) {
		t.Errorf("cause %v, want %v", got.Cause, cause)
	}
	if len(f.signaledAt) == 2 && f.signaledAt[1].Sub(f.signaledAt[0]) != superviseGrace {
		t.Errorf("killed %v after the cancel signal, want %v", f.signaledAt[1].Sub(f.signaledAt[0]), superviseGrace)
	}
}

// TestSuperviseEndedFirst cancels a program that has ended already: it counts as
// ended by itself, in every one of many tries.
func TestSuperviseEndedFirst(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := &fake{exited: make(chan struct{})}
	close(f.exited)
	for range 100 {
		if end := supervise(ctx, f, time.Second, time.Second); end.Cause != nil {
			t.Fatal("an ended program was canceled")
		}
	}
}
