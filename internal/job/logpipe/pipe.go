package logpipe

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/redact"
	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// MaxChunk bounds the size of a chunk, whatever the control plane allows.
	MaxChunk   = 1 << 20
	maxUploads = 3 // at the same time (wire-facts, section 3)
	// uploadShare is the part of the chunk interval that is left for the upload, as
	// a divisor, so that output arrives within the interval.
	uploadShare = 5
)

// Upload uploads one chunk, with its own retries and deadlines. It must return soon
// after ctx ends. It is called concurrently, and chunks may arrive out of order. The
// error wraps wire.ErrRefused if the control plane refuses the chunk for good.
type Upload func(ctx context.Context, chunk wire.Chunk) error

// Config configures a Pipe.
type Config struct {
	Upload       Upload
	ChunkMaxSize uint64 // in bytes; more than MaxChunk means MaxChunk
	// ChunkInterval is the longest time from a byte of output to the end of its
	// upload, while uploads are not busy.
	ChunkInterval time.Duration
	WarnSize      uint64       // size of the log, in bytes, above which a warning is logged
	Spool         *spool.Entry // keeps the log until it is uploaded; nil: memory only
	SpoolSize     int64        // the most bytes that Spool holds
	Timestamps    bool         // put the time at the start of each line, as an escape sequence
	Logger        *zap.Logger  // logs what is dropped and what fails
}

// origin is where bytes of the log come from.
type origin int

const (
	fromJob   origin = iota // output: dropped if there is no room
	fromAgent               // a line of the agent's own: always kept
)

// stage is one step of the pipe. It must not keep p.
type stage interface {
	write(from origin, p []byte)
}

// source is an io.Writer that passes bytes of one origin to a stage.
type source struct {
	from origin
	next stage
}

func (s source) Write(p []byte) (int, error) {
	s.next.write(s.from, p)
	return len(p), nil
}

// Pipe is the log of one job on its way to the control plane. Write, Notef and
// Flush must not be called concurrently; all other methods may.
type Pipe struct {
	secrets redact.Secrets
	// One writer for each origin, so that the bytes that the redactor holds back
	// keep their origin.
	output, notes *redact.Writer
	midLine       bool // the last byte of the log does not end a line

	queue   *queue
	uploads sync.WaitGroup
	abort   context.CancelFunc
}

// New returns a Pipe whose uploads run until ctx ends or Abort is called. The caller
// must call Flush.
func New(ctx context.Context, c Config) *Pipe {
	p := &Pipe{queue: newQueue(c)}
	var first stage = p.queue
	if c.Timestamps {
		first = &timestamps{next: first}
	}
	p.output = redact.NewWriter(&p.secrets, source{fromJob, first})
	p.notes = redact.NewWriter(&p.secrets, source{fromAgent, first})
	ctx, p.abort = context.WithCancel(ctx)
	context.AfterFunc(ctx, p.queue.abort)
	p.queue.begin = func() {
		for range maxUploads {
			p.uploads.Go(func() { upload(ctx, c.Upload, p.queue) })
		}
	}
	return p
}

// AddSecrets hides secrets in what is written from now on; see [redact.Secrets].
func (p *Pipe) AddSecrets(secrets ...string) error {
	return p.secrets.Add(secrets...) //nolint:wrapcheck // the error is complete
}

// Write adds output of the job to the log. It blocks while there is no room, within
// the bounds of the package, and never fails.
func (p *Pipe) Write(b []byte) (int, error) {
	if len(b) > 0 {
		p.midLine = b[len(b)-1] != '\n'
	}
	return p.output.Write(b) //nolint:wrapcheck // it never fails
}

// Notef adds a line of the agent's own to the log, prefixed with "switchyard: ". The
// line is never dropped. Notef blocks only for output that was held back until now.
func (p *Pipe) Notef(format string, args ...any) {
	line := notePrefix + fmt.Sprintf(format, args...) + "\n"
	if p.midLine {
		line = "\n" + line
	}
	p.midLine = false
	// Flushing both writers keeps the order of the log. The stages never fail.
	_ = p.output.Flush()
	_, _ = p.notes.Write([]byte(line))
	_ = p.notes.Flush()
}

// Flush uploads what is left and waits for all uploads to end. Abort bounds it. The
// pipe must not be written to afterwards.
func (p *Pipe) Flush() {
	_ = p.output.Flush() // the stages never fail
	p.queue.close()
	p.uploads.Wait()
	p.abort()
}

// Abort cancels all uploads and makes a blocked Write or Flush return. Chunks that
// are not uploaded by then count as failed.
func (p *Pipe) Abort() { p.abort() }

// Stats counts what became of a log.
type Stats struct {
	// Bytes is the size of the log, including what was dropped and the lines of the
	// agent's own.
	Bytes uint64
	// Failed counts the chunks that were not uploaded. Kept counts those of them
	// that are still in the spool.
	Failed, Kept int
}

// Stats returns the counts so far.
func (p *Pipe) Stats() Stats { return p.queue.stats() }
