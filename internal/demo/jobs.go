package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// script is what a job of the demo does: note that it ran, and, if it is to
	// wait, wait until it is told to go on. That is bounded, for a demo that is
	// killed must leave nothing running.
	script = `echo "$NAME" >> "$DIR/$NAME.runs"
echo "the $NAME job runs"
n=0
while [ -n "$WAIT" ] && [ ! -e "$DIR/$NAME.go-on" ] && [ $n -lt 600 ]; do sleep 0.05; n=$((n+1)); done
echo "the $NAME job is done"`

	lookAgain = 10 * time.Millisecond
)

// submitted is a job that the control plane has acknowledged.
type submitted struct{ name, id string }

// submit submits the job of that name; a job that waits ends when it is
// released.
func (s *stage) submit(ctx context.Context, name string, waits bool) error {
	env := map[string]string{"NAME": name, "DIR": s.dir}
	if waits {
		env["WAIT"] = "1"
	}
	answer, err := s.client.Submit(ctx, &switchyardv1.SubmitJobRequest{
		Command: []string{"/bin/sh", "-c", script}, Env: env, IdempotencyKey: "demo-" + name,
		Timeout: durationpb.New(timeLimit),
	})
	if err != nil {
		return fmt.Errorf("submitting the %s job: %w", name, err)
	}
	s.jobs = append(s.jobs, submitted{name, answer.GetJob().GetId()})
	return nil
}

// begun waits until the job of that name has noted that it runs.
func (s *stage) begun(ctx context.Context, name string) error {
	ticker := time.NewTicker(lookAgain)
	defer ticker.Stop()
	for {
		runs, err := s.runs(name)
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

// runs counts how often the job of that name was run.
func (s *stage) runs(name string) (int, error) {
	notes, err := fs.ReadFile(os.DirFS(s.dir), name+".runs")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("counting the runs of the %s job: %w", name, err)
	}
	return bytes.Count(notes, []byte{'\n'}), nil
}
