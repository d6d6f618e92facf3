package job

import (
	"fmt"
	"strconv"

	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const mebibyte = 1 << 20 // in bytes

// setLimits sets the limits of the job: the lower ones of its submitter's and the agent's. It
// returns an error that wraps process.ErrNoLimits if this agent cannot keep them.
func (r *run) setLimits() error {
	asked, agent := r.spec.Limits, r.opts.Limits
	if err := asked.Check(); err != nil {
		return fmt.Errorf("%w: %w", process.ErrNoLimits, err)
	}
	limits := asked.Within(agent)
	if err := r.opts.Cgroups.Check(process.Limits(limits)); err != nil {
		return err //nolint:wrapcheck // it says what cannot be kept, and why
	}
	for _, text := range loweredLimits(asked, limits) {
		r.log.Notef("%s", text)
	}
	r.limits = process.Limits(limits)
	return nil
}

// loweredLimits returns a text for each limit that a job gets lower than it asked for.
func loweredLimits(asked, got wire.Limits) []string {
	var texts []string
	for _, l := range []struct {
		lowered         bool
		flag, want, got string
	}{
		{asked.Memory > got.Memory, "memory", inMebibytes(asked.Memory), inMebibytes(got.Memory)},
		{asked.CPUs > got.CPUs, "cpus", decimal(asked.CPUs), decimal(got.CPUs)},
		{asked.PIDs > got.PIDs, "pids", strconv.Itoa(asked.PIDs), strconv.Itoa(got.PIDs)},
	} {
		if l.lowered {
			texts = append(texts, fmt.Sprintf("the job asked for --%s %s, and has %s: --job-%s of this agent is lower",
				l.flag, l.want, l.got, l.flag))
		}
	}
	return texts
}

func inMebibytes(bytes int64) string { return decimal(float64(bytes) / mebibyte) }

func decimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
