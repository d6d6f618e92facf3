//go:build unix

package job

import (
	"errors"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestRecordUnkillable records a canceled command that survives SIGKILL: the job
// ends with what is known.
func TestRecordUnkillable(t *testing.T) {
	t.Parallel()
	cp := &recorder{}
	spec, opts := jobFor(t, "true")
	opts.KillWait = time.Millisecond
	opts, err := opts.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	r := newRun(spec, cp, opts)
	r.openLog(t.Context())
	r.recordExit(process.End{Cause: ErrCanceled, Killed: true}, process.Exit{Code: -1}, errors.New("process 7 still runs"))
	r.log.Flush()
	if r.result.ExitStatus != wire.ExitStatusNeverRan || r.result.SignalReason != wire.ReasonCancel || len(r.errs) != 1 || !errors.Is(r.errs[0], PhaseProcess) {
		t.Errorf("%+v, %v", r.result, r.errs)
	}
	checkLog(t, cp, "", []string{"did not end within 1ms of SIGKILL"})
}
