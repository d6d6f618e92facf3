package worker

import (
	"fmt"

	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/transport"
)

// Wire is a job's session as the job knows it, for what is owed about a job that
// another process has run.
func Wire(session *transport.JobSession) job.ControlPlane { return jobWire{session: session} }

// refusal marks what the control plane itself refused for good.
func refusal(err error) error {
	if transport.Refused(err) {
		return fmt.Errorf("%w: %w", job.ErrRefused, err)
	}
	return err
}
