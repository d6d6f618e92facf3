package demo

import (
	"context"
	"fmt"
	"time"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// account is what the demo has to show for itself.
type account struct {
	run, lost, twice int
	// noticed is from the cut to the loss of the stream; fallBack, from the end
	// of the job in hand to the first ping; back, from the healing to the first
	// message of the stream; reclaim, from the healing to the stream in control.
	noticed, fallBack, back, reclaim time.Duration
}

// add asks the control plane and the job's own notes what became of it.
func (a *account) add(ctx context.Context, s *stage, name, id string) error {
	job, err := s.client.Job(ctx, id)
	if err != nil {
		return fmt.Errorf("asking for the %s job: %w", name, err)
	}
	runs, err := s.runs(name)
	if err != nil {
		return err
	}
	switch {
	case runs > 1:
		a.twice++
	case runs == 0 || job.GetState() != switchyardv1.JobState_JOB_STATE_FINISHED || job.GetExitStatus() != "0":
		a.lost++
	default:
		a.run++
	}
	return nil
}

// check returns an error that wraps ErrBroken unless all went as promised.
func (a *account) check() error {
	if a.lost > 0 || a.twice > 0 {
		return fmt.Errorf("%w: %d jobs lost, %d run twice", ErrBroken, a.lost, a.twice)
	}
	return nil
}
