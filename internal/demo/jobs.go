package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// script is the command of a job: it notes that it runs and, if WAIT is set,
	// waits to be released. The wait is bounded, so that a killed demo leaves
	// nothing running.
	script = `echo "$NAME" >> "$DIR/$NAME.runs"
echo "the $NAME job runs"
n=0
while [ -n "$WAIT" ] && [ ! -e "$DIR/$NAME.release" ] && [ $n -lt 600 ]; do sleep 0.05; n=$((n+1)); done
echo "the $NAME job is done"`

	checkInterval = 10 * time.Millisecond
)

// submittedJob is a job that the control plane has acknowledged.
type submittedJob struct{ name, id string }

// submit submits the job with that name. A job that waits ends when it is
// released.
func (e *environment) submit(ctx context.Context, name string, waits bool) error {
	env := map[string]string{"NAME": name, "DIR": e.dir}
	if waits {
		env["WAIT"] = "1"
	}
	response, err := e.client.Submit(ctx, &switchyardv1.SubmitJobRequest{
		Command: []string{"/bin/sh", "-c", script}, Env: env, IdempotencyKey: "demo-" + name,
		Timeout: durationpb.New(timeLimit),
	})
	if err != nil {
		return fmt.Errorf("submitting the %s job: %w", name, err)
	}
	e.jobs = append(e.jobs, submittedJob{name, response.GetJob().GetId()})
	return nil
}

// waitUntilRunning waits until the job with that name has noted that it runs.
func (e *environment) waitUntilRunning(ctx context.Context, name string) error {
	ticker := time.NewTicker(checkInterval)
	defer ticker.Stop()
	for {
		runs, err := e.runs(name)
		if err != nil || runs > 0 {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return fmt.Errorf("waiting until the %s job runs: %w", name, context.Cause(ctx))
		}
	}
}

// runs returns how many times the job with that name has run.
func (e *environment) runs(name string) (int, error) {
	notes, err := fs.ReadFile(os.DirFS(e.dir), name+".runs")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("counting the runs of the %s job: %w", name, err)
	}
	return bytes.Count(notes, []byte{'\n'}), nil
}

// release lets the job with that name end.
func (e *environment) release(name string) error {
	if err := os.WriteFile(filepath.Join(e.dir, name+".release"), nil, 0o600); err != nil {
		return fmt.Errorf("releasing the %s job: %w", name, err)
	}
	return nil
}
