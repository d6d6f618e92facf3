//go:build unix

package job

import (
	"bytes"
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// gated takes output only once it is opened.
type gated struct {
	gate    chan struct{}
	reached chan struct{} // a write has come; with room for one
	got     bytes.Buffer
}

func (g *gated) Write(p []byte) (int, error) {
	select {
	case g.reached <- struct{}{}:
	default:
	}
	<-g.gate
	return g.got.Write(p)
}

// What a command wrote before it ended is all taken, though its time is over
// while slow uploads hold the reader up.
func TestOutputTakesTheRest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		holds bool // another process keeps the pipe open
	}{
		{"and finds the end", false},
		{"though another holds the pipe", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, err := newOutput()
			if err != nil {
				t.Fatal(err)
			}

			// The command's copy of the writing end.
			fd, err := unix.FcntlInt(out.write.Fd(), unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				t.Fatal(err)
			}
			command := os.NewFile(uintptr(fd), "command") //nolint:gosec // a descriptor fits
			want := bytes.Repeat([]byte("0123456789"), 6000)
			if _, err := command.Write(want); err != nil {
				t.Fatal(err)
			}
			if tt.holds {
				defer func() { _ = command.Close() }()
			} else {
				_ = command.Close()
			}
			w := &gated{gate: make(chan struct{}), reached: make(chan struct{}, 1)}
			out.copyTo(w)
			<-w.reached // the first part is on its way; the rest is in the pipe
			held := out.settle(time.Now(), func() { close(w.gate) })
			if held != tt.holds {
				t.Errorf("held %v, want %v", held, tt.holds)
			}
			if !bytes.Equal(w.got.Bytes(), want) {
				t.Errorf("%d bytes, want %d", w.got.Len(), len(want))
			}
		})
	}
}

// immortal is a group that cannot be ended, as when the system does not let go
// of a process.
type immortal struct{ group }

func (immortal) terminate(syscall.Signal) error { return nil }

func (immortal) kill() error { return nil }

// A command that survives SIGKILL is left behind, and the job ends with what is
// known.
func TestSettleWithoutAnEnd(t *testing.T) {
	t.Parallel()
	cp := &recorder{}
	spec, opts := jobFor(t, "mkfifo f; echo ready | cat - f")
	opts.CancelGrace = time.Millisecond
	opts, err := opts.WithDefaults()
	if err != nil {
		t.Fatal(err)
	}
	r := &run{spec: spec, opts: opts, cp: cp, logger: opts.Logger, result: Result{ExitStatus: StatusNeverRan}}
	up := uploaderFor(t.Context(), cp, spec.ChunkMaxSize)
	_, cmd, out := r.launch(t.Context(), up)
	if cmd == nil {
		t.Fatal(r.errs)
	}
	mortal := cmd.group
	cmd.group = immortal{mortal}
	cp.await(t, "ready")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(ErrCanceled)
	r.opts.KillWait = time.Millisecond // the mortal one keeps its longer one
	end := supervise(ctx, cmd, r.opts.CancelGrace, r.opts.KillWait)
	r.result.FinishedAt = time.Now()
	r.settle(end, cmd, out, up)
	up.flush()
	if err := mortal.kill(); err != nil { // and it is collected after all, or goroutines would be left
		t.Error(err)
	}
	if r.result.ExitStatus != StatusNeverRan || r.result.SignalReason != ReasonCancel || len(r.errs) != 1 || !InPhase(r.errs[0], PhaseProcess) {
		t.Errorf("%+v, %v", r.result, r.errs)
	}
	checkLog(t, cp, "", []string{"ready\n", "did not end within 1ms of SIGKILL"})
}
