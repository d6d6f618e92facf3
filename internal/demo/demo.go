// Package demo shows with real parts what Switchyard does: jobs reach an agent
// over a stream, keep running when the stream is lost, reach it by polling
// meanwhile, and use the stream again when it is back.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// timeLimit is how long the demo may take on a busy machine. Its only long wait is for
	// the reconnect, whose second and third windows are ten seconds each.
	timeLimit = 2 * time.Minute
	// maxRecords is more than the number of events of the worker in that time.
	maxRecords = 10000
)

var (
	errBroken  = errors.New("a promise was broken")
	errTooLong = fmt.Errorf("the demo took longer than %v", timeLimit)
)

// Run runs the demo, and writes each step to out as it happens and the results at
// the end. It returns an error if a job was lost or run twice, or if the worker
// changed to a wrong state, and the context's cause if the context ended. The
// logger receives the logs of the parts. The transitions of the worker are
// also written to a transition log at that path, unless it is empty.
func Run(ctx context.Context, out io.Writer, transitionLog string, logger *zap.Logger) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeLimit, errTooLong)
	defer cancel()
	p := &printer{out: out, started: time.Now()}
	records := make(chan fsm.Record, maxRecords)
	e, err := startEnvironment(ctx, transitionLog, logger, func(r fsm.Record) {
		p.transition(r)
		records <- r
	})
	defer func() { err = errors.Join(err, e.close()) }()
	if err != nil {
		return err
	}
	s := &story{environment: e, records: records, out: p}
	if err := s.run(ctx); err != nil {
		return err
	}
	if err := p.timelines(s.results.jobs); err != nil {
		return err
	}
	p.results(&s.results)
	return s.results.check()
}

// results are the figures at the end of the demo.
type results struct {
	run, lost, twice int
	jobs             []finalJob
	// noticed is the time from the cut to the loss of the stream; fallBack, from
	// the end of the running job to the first ping; back, from the repair to the
	// first message of the stream; reclaimed, from the repair to the stream in
	// control.
	noticed, fallBack, back, reclaimed time.Duration
}

// finalJob is a job as the control plane has it at the end.
type finalJob struct {
	*switchyardv1.Job

	name string
}

// count compares what the control plane knows of each job with what the job
// itself has noted.
func (r *results) count(ctx context.Context, e *environment) error {
	for _, submitted := range e.jobs {
		job, err := e.client.Job(ctx, submitted.id)
		if err != nil {
			return fmt.Errorf("asking for the %s job: %w", submitted.name, err)
		}
		runs, err := e.runs(submitted.name)
		if err != nil {
			return err
		}
		r.jobs = append(r.jobs, finalJob{job, submitted.name})
		switch {
		case runs > 1:
			r.twice++
		case runs == 0 || job.GetState() != switchyardv1.JobState_JOB_STATE_FINISHED || job.GetExitStatus() != "0":
			r.lost++
		default:
			r.run++
		}
	}
	return nil
}

// check returns an error if a job was lost or run twice.
func (r *results) check() error {
	if r.lost > 0 || r.twice > 0 {
		return fmt.Errorf("%w: %d jobs lost, %d run twice", errBroken, r.lost, r.twice)
	}
	return nil
}
