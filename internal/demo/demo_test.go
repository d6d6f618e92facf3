package demo_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/switchyard-ci/switchyard/internal/demo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestDemoKeepsItsPromises plays the whole demo and reads its account.
func TestDemoKeepsItsPromises(t *testing.T) {
	if testing.Short() {
		t.Skip("the demo takes up to 30 seconds")
	}
	var told strings.Builder
	if err := demo.Run(t.Context(), &told, zaptest.NewLogger(t)); err != nil {
		t.Fatalf("%v\n%s", err, told.String())
	}
	for _, want := range []string{
		`jobs run\s+3`, `jobs lost\s+0`, `jobs run twice\s+0`,
		`StreamHealthy -> Running`, `Running -> FallingBack`, `FallingBack -> PollingBusy`,
		`PollingBusy -> Reclaiming`, `Reclaiming -> StreamHealthy`, `StreamHealthy -> Stopped`,
	} {
		if !regexp.MustCompile(want).MatchString(told.String()) {
			t.Errorf("the demo did not tell %q:\n%s", want, told.String())
		}
	}
}

// TestDemoEndsWhenAsked cancels the demo as Ctrl-C does.
func TestDemoEndsWhenAsked(t *testing.T) {
	asked := errors.New("asked to end")
	ctx, cancel := context.WithCancelCause(t.Context())
	told := writerFunc(func(text []byte) (int, error) {
		if strings.Contains(string(text), "StreamHealthy -> Running") {
			cancel(asked)
		}
		return len(text), nil
	})
	if err := demo.Run(ctx, told, zaptest.NewLogger(t)); !errors.Is(err, asked) {
		t.Errorf("Run: %v, want %v", err, asked)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }
