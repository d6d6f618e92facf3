package job

import (
	"errors"
	"io"
	"strings"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/joblink"
	"github.com/switchyard-ci/switchyard/internal/job/redact"
)

// front is what all output passes before it is uploaded, the agent's own lines
// too: secrets are taken out of it, and then the time is put in, so that no
// stamp comes between the parts of a secret.
//
// Write, line and flush are for one goroutine at a time.
type front struct {
	redactor *redact.Writer
	inLine   bool // the last line has no end yet
}

func newFront(to io.Writer) *front { return &front{redactor: redact.NewWriter(to)} }

// Write takes output of the job's.
func (f *front) Write(p []byte) (int, error) {
	if len(p) > 0 {
		f.inLine = p[len(p)-1] != '\n'
	}
	return f.redactor.Write(p) //nolint:wrapcheck // an uploader's Write, behind it, never fails
}

// line takes a line of the agent's own, and gives it a line of its own.
func (f *front) line(text string) {
	if f.inLine {
		text = "\n" + text
	}
	_, _ = f.Write([]byte(text + "\n"))
}

// flush hands on what was held back.
func (f *front) flush() { _ = f.redactor.Flush() }

// hide makes up hide what is secret in the job and stamp its lines, and lets
// the job's commands add secrets, where the system can. It comes before any
// output.
func (r *run) hide(up *uploader) {
	if r.opts.TimestampLines {
		up.front = newFront(&stamper{to: up})
	}
	secrets, tooShort := secretsOf(r.spec, r.opts)
	if err := up.front.redactor.Add(secrets...); err != nil {
		r.logger.Warn("secrets of the job are not hidden in its log", zap.Error(err))
		up.linef("the secrets among this job's variables are not hidden in this log: %v", err)
	}
	if len(tooShort) > 0 {
		up.linef("not hidden in this log, as a value of fewer than %d bytes is not: %s", redact.Minimum, strings.Join(tooShort, ", "))
	}
	link, err := joblink.Listen(r.opts.SocketFolder, func(secrets []string) error { return up.front.redactor.Add(secrets...) })
	switch {
	case err == nil:
		r.link, r.opts.socket = link, link.Path()
	case !errors.Is(err, errors.ErrUnsupported):
		r.logger.Warn("the job cannot add secrets to be hidden", zap.Error(err))
		up.linef("`switchyard redact add` does not work in this job: %v", err)
	}
}

// unlink ends the adding of secrets. It comes after the finish, which it need
// not hold up.
func (r *run) unlink() {
	if r.link != nil {
		r.link.Close()
	}
}
