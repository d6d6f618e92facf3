package workspace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"time"

	"github.com/switchyard-ci/switchyard/internal/job/process"
)

const (
	// outputGrace is how long processes that git has started may hold its output open
	// after git has ended.
	outputGrace = 5 * time.Second
	// maxRead bounds what is read of git's output, and maxLine a line of it.
	maxRead, maxLine = 1 << 20, 64 << 10
)

// gitSettings restrict git to the checkout: no hooks, no daemons, no maintenance in
// the background.
//
//nolint:gochecknoglobals // a table, never written
var gitSettings = []string{
	"-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false",
	"-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "advice.detachedHead=false",
	"-c", "init.defaultBranch=main",
}

// errStalled is the cause of the end of a git that shows no progress.
var errStalled = errors.New("no progress")

// git runs the git program in one directory.
type git struct {
	path, dir  string
	env        []string
	opts       process.Options
	stallLimit time.Duration
	log        Log
}

// run runs git to its end, with its output in the job's log, but for its progress. When
// ctx ends, it cancels git and returns the cause; it does so, too, when git has written
// nothing for the limit.
func (g *git) run(ctx context.Context, args ...string) error {
	lines := &progressFilter{to: g.log}
	defer lines.flush()
	return g.start(ctx, lines, args)
}

// read runs git to its end and returns its output, which is in the log only if git fails.
func (g *git) read(ctx context.Context, args ...string) (string, error) {
	text, err := g.ask(ctx, args...)
	if err != nil {
		_, _ = io.WriteString(g.log, text) // the log never fails
	}
	return text, err
}

// ask runs git to its end and returns its output, also that of a git whose failure is a
// result.
func (g *git) ask(ctx context.Context, args ...string) (string, error) {
	var text bytes.Buffer
	err := g.start(ctx, &limitedWriter{to: &text, room: maxRead}, args)
	return text.String(), err
}

// start starts git and waits for its end.
func (g *git) start(ctx context.Context, to io.Writer, args []string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	watched, stall := context.WithCancelCause(ctx)
	defer stall(nil)
	watchdog := time.AfterFunc(g.stallLimit, func() { stall(errStalled) })
	defer watchdog.Stop()
	p, err := process.Start(process.Command{
		Name: "git", Argv: slices.Concat([]string{g.path}, gitSettings, args), Env: g.env, Dir: g.dir,
	}, g.opts, writerFunc(func(b []byte) (int, error) {
		watchdog.Reset(g.stallLimit)
		return to.Write(b)
	}))
	if err != nil {
		return err //nolint:wrapcheck // it names git
	}
	end := p.Wait(watched)
	exit, err := p.Collect(time.Now().Add(outputGrace))
	p.Release()
	switch {
	case !end.Exited:
		return fmt.Errorf("git did not end within %v of SIGKILL", g.opts.KillWait)
	case errors.Is(end.Cause, errStalled):
		return fmt.Errorf("git %s: %w for %v", args[0], errStalled, g.stallLimit)
	case end.Cause != nil:
		return end.Cause
	case err != nil:
		return err //nolint:wrapcheck // it names the process
	case exit.Signal != "":
		return fmt.Errorf("git %s was ended by %s", args[0], exit.Signal)
	case exit.Code != 0:
		return fmt.Errorf("git %s failed with exit status %d", args[0], exit.Code)
	}
	return nil
}

// writerFunc is a function as an io.Writer.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// limitedWriter passes on as many bytes as there is room for, and drops the rest.
type limitedWriter struct {
	to   io.Writer
	room int
}

func (w *limitedWriter) Write(b []byte) (int, error) {
	n := min(len(b), w.room)
	w.room -= n
	if _, err := w.to.Write(b[:n]); err != nil {
		return 0, fmt.Errorf("keeping git's output: %w", err)
	}
	return len(b), nil
}

// progressLine matches a line about git's progress.
var progressLine = regexp.MustCompile(`\r|^remote: (Enumerating objects:|Total ) *\d`)

// progressFilter passes on complete lines, but for those that show git's progress: most
// of them are written over and over.
type progressFilter struct {
	to   io.Writer
	line []byte
}

func (f *progressFilter) Write(b []byte) (int, error) {
	for part := range bytes.Lines(b) {
		f.line = append(f.line, part...)
		if part[len(part)-1] == '\n' || len(f.line) > maxLine {
			f.flush()
		}
	}
	return len(b), nil
}

// flush passes on the last line, which may be incomplete.
func (f *progressFilter) flush() {
	if line := bytes.TrimRight(f.line, "\r\n"); len(f.line) > 0 && !progressLine.Match(line) {
		_, _ = f.to.Write(append(line, '\n')) // the log never fails
	}
	f.line = f.line[:0]
}
