//go:build unix

package process

import (
	"bytes"
	"context"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// gated is a writer that blocks until it is opened.
type gated struct {
	gate    chan struct{}
	reached chan struct{} // receives when a write has begun; buffered
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

// TestOutputReadsTheRest drains a pipe whose deadline passes while the writer
// blocks: all that the program wrote before it ended is read.
func TestOutputReadsTheRest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		holds bool // another process keeps the pipe open
	}{
		{"to the end", false},
		{"while another process holds the pipe", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, err := openOutput(false)
			if err != nil {
				t.Fatal(err)
			}

			// The program's copy of the writing end.
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
			<-w.reached // the first part was read; the rest is in the pipe
			held := out.drain(time.Now(), func() { close(w.gate) })
			if held != tt.holds {
				t.Errorf("held %v, want %v", held, tt.holds)
			}
			if !bytes.Equal(w.got.Bytes(), want) {
				t.Errorf("%d bytes, want %d", w.got.Len(), len(want))
			}
		})
	}
}

// TestUnkillable cancels a program that survives SIGKILL: Collect returns an error
// and what the program has written.
func TestUnkillable(t *testing.T) {
	t.Parallel()
	log := &gated{gate: make(chan struct{}), reached: make(chan struct{}, 1)}
	close(log.gate)
	opts := Options{CancelSignal: syscall.SIGTERM, CancelGrace: time.Millisecond, KillWait: time.Minute, Logger: zap.NewNop()}
	p, err := Start(Command{Name: "cat", Argv: []string{"/bin/sh", "-c", "echo ready; exec sleep 600"}}, opts, log)
	if err != nil {
		t.Fatal(err)
	}
	<-log.reached
	killable := p.group
	nobody := &group{id: 1 << 30, tree: &tree{mark: "none"}} // signals reach no process
	p.group, p.opts.KillWait = nobody, time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	end := p.Wait(ctx)
	exit, err := p.Collect(time.Now())
	if end.Exited || !end.Killed || exit.Code != -1 || err == nil || !strings.Contains(err.Error(), "still runs 1ms after SIGKILL") {
		t.Errorf("%+v, %+v, %v", end, exit, err)
	}
	if got := log.got.String(); got != "ready\n" {
		t.Errorf("output %q", got)
	}
	if err := killable.kill(false); err != nil {
		t.Error(err)
	}
	<-p.exited // reaped in the background
}
