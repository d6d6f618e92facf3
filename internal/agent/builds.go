package agent

import (
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job"
)

// claimBuilds says what jobs have to do without on this system, ends what an
// agent that was killed has left in the build path, and claims it. It returns
// what gives the claim up. Without one the agent can run jobs all the same.
func (a *Agent) claimBuilds() func() {
	for _, limit := range job.Limits() {
		a.Logger.Warn("not supported on this system: " + limit)
	}
	if a.Job.BuildPath == "" {
		return func() {} // nothing can be run, as each job will say
	}
	claim, err := job.ClaimBuildPath(a.Job.BuildPath, a.Job.Cleanup, a.Logger)
	if err != nil {
		a.Logger.Warn("if this agent is killed, the next one will not end what its jobs leave", zap.Error(err))
		return func() {}
	}
	a.Job.Claim = claim
	return func() {
		if err := claim.Close(); err != nil {
			a.Logger.Warn("leaving", zap.Error(err))
		}
	}
}
