package worldtest

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// What the token of a job that has ended is good for, over HTTP: the chunks of its log that
// its agent has counted as undelivered, chunks that are stored, its result again, and
// nothing else. A chunk must lie behind the bytes that the chunks before it can hold, also
// while the job runs.
func TestTokenOfAnEndedJob(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorldWithTerms(t, historyTerms, 1)
		defer w.close()
		r := &recorder{world: w, doors: []door{newDoor(func() *replica { return w.replica(0) })}}
		defer r.doors[0].http.CloseIdleConnections()
		agents, err := transport.New(transport.Options{Endpoints: []string{"http://control.test/v3"}, DialContext: w.dial})
		must(t, err)
		defer agents.Close()
		session, err := agents.Register(t.Context(), func() string { return registrationToken }, wire.RegisterRequest{Name: "w"})
		must(t, err)
		must(t, session.Connect(t.Context()))
		w.submit("1s", "0", 0, 0)
		w.calls.Wait()
		offer, err := session.Ping(t.Context())
		must(t, err)
		accepted, err := session.Accept(t.Context(), offer.Instruction.JobID)
		must(t, err)
		job, err := agents.UndeliveredJob(session.Endpoint(), nil, accepted.ID, accepted.Token)
		must(t, err)

		chunk := func(sequence, offset uint64) error {
			return job.Chunk(t.Context(), wire.Chunk{Sequence: sequence, Offset: offset, Data: []byte("line\n")})
		}
		control := func(call string) error {
			if outcome := r.rest(t.Context(), r.doors[0], http.MethodPost, call, accepted.Token, map[string]any{}, nil); outcome != ok {
				return fmt.Errorf("%w: %s", wire.ErrRefused, outcome)
			}
			return nil
		}
		finish := func(status string) error {
			return job.Finish(t.Context(), wire.FinishRequest{ExitStatus: status, ChunksFailed: 1})
		}
		begin := func() error { return job.Start(t.Context(), time.Now()) }
		const huge = 1 << 63
		for _, step := range []struct {
			when, what string
			call       func() error
			taken      bool
		}{
			{"accepted", "start", begin, true},
			{"running", "chunk 1", func() error { return chunk(1, 0) }, true},
			{"running", "chunk at 2^63", func() error { return chunk(2, huge) }, false},
			{"running", "pause", func() error { return control(wire.PathPause) }, true},
			{"running", "resume", func() error { return control(wire.PathResume) }, true},
			{"running", "finish", func() error { return finish("0") }, true},
			{"ended", "chunk 1 again", func() error { return chunk(1, 0) }, true},
			{"ended", "chunk 3", func() error { return chunk(3, 10) }, false},
			{"ended", "chunk at 2^63", func() error { return chunk(3, huge) }, false},
			{"ended", "finish again", func() error { return finish("0") }, true},
			{"ended", "finish otherwise", func() error { return finish("1") }, false},
			{"ended", "start", begin, false},
			{"ended", "pause", func() error { return control(wire.PathPause) }, false},
			{"ended", "resume", func() error { return control(wire.PathResume) }, false},
			{"ended", "stop", func() error { return control(wire.PathStop) }, false},
			{"an hour later", "chunk 2", func() error { pass(time.Hour); return chunk(2, 5) }, true},
			{"complete", "chunk 2 again", func() error { return chunk(2, 5) }, true},
			{"complete", "chunk 3", func() error { return chunk(3, 10) }, false},
			{"complete", "finish again", func() error { return finish("0") }, true},
			{"complete", "stop", func() error { return control(wire.PathStop) }, false},
		} {
			err := step.call()
			if (err == nil) != step.taken || err != nil && !errors.Is(err, wire.ErrRefused) && !errors.Is(err, wire.ErrTokenInvalid) {
				t.Errorf("%s, %s: got %v, want it taken: %v", step.when, step.what, err, step.taken)
			}
		}
	})
}
