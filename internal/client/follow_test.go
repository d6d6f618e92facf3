package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/goleak"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// connection is one connection of a follow: messages, and then its end.
type connection struct {
	refused  error // the error of opening the stream
	messages []*switchyardv1.FollowJobResponse
	end      error

	next int
}

func (c *connection) Receive() bool                        { c.next++; return c.next <= len(c.messages) }
func (c *connection) Msg() *switchyardv1.FollowJobResponse { return c.messages[c.next-1] }
func (c *connection) Err() error                           { return c.end }
func (c *connection) Close() error                         { return nil }

// recorder is a Follower that records its calls.
type recorder struct {
	calls  []string
	refuse error // what Log returns
}

func (r *recorder) Job(job *switchyardv1.Job) error {
	r.calls = append(r.calls, strings.ToLower(strings.TrimPrefix(job.GetState().String(), "JOB_STATE_")))
	return nil
}

func (r *recorder) Log(piece *switchyardv1.LogChunk) error {
	line := fmt.Sprintf("%d:%s", piece.GetOffset(), piece.GetData())
	if piece.GetMissing() > 0 {
		line += fmt.Sprintf(" after %d missing", piece.GetMissing())
	}
	r.calls = append(r.calls, line)
	return r.refuse
}

func (r *recorder) Interrupted(error, time.Time) { r.calls = append(r.calls, "interrupted") }
func (r *recorder) Reconnected()                 { r.calls = append(r.calls, "reconnected") }

func state(s switchyardv1.JobState) *switchyardv1.FollowJobResponse {
	return &switchyardv1.FollowJobResponse{Event: &switchyardv1.FollowJobResponse_Job{Job: &switchyardv1.Job{State: s}}}
}

func piece(offset uint64, data string, missing uint64) *switchyardv1.FollowJobResponse {
	return &switchyardv1.FollowJobResponse{Event: &switchyardv1.FollowJobResponse_Log{
		Log: &switchyardv1.LogChunk{Offset: offset, Data: []byte(data), Missing: missing},
	}}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	var (
		running  = state(switchyardv1.JobState_JOB_STATE_RUNNING)
		finished = state(switchyardv1.JobState_JOB_STATE_FINISHED)
		broken   = connect.NewError(connect.CodeUnavailable, errors.New("connection reset"))
		unknown  = connect.NewError(connect.CodeNotFound, errors.New("no such job"))
		full     = errors.New("no space left")
	)
	tests := []struct {
		name        string
		connections []*connection // the last one is used for every further try
		noWait      bool
		offset      uint64
		expected    bool
		reached     bool
		full        error
		calls       []string
		offsets     []uint64 // of the first connections
		err         string
	}{
		{
			name:        "one connection",
			connections: []*connection{{messages: []*switchyardv1.FollowJobResponse{running, piece(0, "ab", 0), finished, piece(2, "c", 0)}}},
			calls:       []string{"running", "0:ab", "finished", "2:c"}, offsets: []uint64{0},
		},
		{
			name: "a failure in the middle of the log",
			connections: []*connection{
				{messages: []*switchyardv1.FollowJobResponse{running, piece(0, "ab", 0)}, end: broken},
				{messages: []*switchyardv1.FollowJobResponse{running, piece(2, "c", 0), finished}},
			},
			calls:   []string{"running", "0:ab", "interrupted", "reconnected", "running", "2:c", "finished"},
			offsets: []uint64{0, 2},
		},
		{
			name: "a failure after the end of the job, before the end of its log",
			connections: []*connection{
				{messages: []*switchyardv1.FollowJobResponse{finished, piece(0, "ab", 0)}, end: broken},
				{messages: []*switchyardv1.FollowJobResponse{finished, piece(2, "c", 0)}},
			},
			calls:   []string{"finished", "0:ab", "interrupted", "reconnected", "finished", "2:c"},
			offsets: []uint64{0, 2},
		},
		{
			name: "a clean end before the end of the job is a failure",
			connections: []*connection{
				{messages: []*switchyardv1.FollowJobResponse{running}},
				{messages: []*switchyardv1.FollowJobResponse{finished}},
			},
			calls: []string{"running", "interrupted", "reconnected", "finished"}, offsets: []uint64{0, 0},
		},
		{
			name: "an outage is reported once",
			connections: []*connection{
				{messages: []*switchyardv1.FollowJobResponse{running}, end: broken},
				{refused: broken},
				{refused: broken},
				{end: broken},
				{messages: []*switchyardv1.FollowJobResponse{finished}},
			},
			calls: []string{"running", "interrupted", "reconnected", "finished"}, offsets: []uint64{0, 0, 0, 0, 0},
		},
		{
			name: "known bytes of the log are not delivered again",
			connections: []*connection{
				{messages: []*switchyardv1.FollowJobResponse{running, piece(3, "ab", 3)}, end: broken},
				{messages: []*switchyardv1.FollowJobResponse{piece(3, "ab", 3), piece(4, "bc", 1), finished}},
			},
			calls:   []string{"running", "3:ab after 3 missing", "interrupted", "reconnected", "5:c", "finished"},
			offsets: []uint64{0, 5},
		},
		{
			name: "an offset", offset: 7,
			connections: []*connection{{messages: []*switchyardv1.FollowJobResponse{piece(7, "x", 0), finished}}},
			calls:       []string{"7:x", "finished"}, offsets: []uint64{7},
		},
		{
			name: "no waiting", noWait: true,
			connections: []*connection{{messages: []*switchyardv1.FollowJobResponse{running, piece(0, "x", 0)}}},
			calls:       []string{"running", "0:x"}, offsets: []uint64{0},
		},
		{
			name: "an expected job may be created later", expected: true,
			connections: []*connection{{end: unknown}, {end: unknown}, {messages: []*switchyardv1.FollowJobResponse{finished}}},
			calls:       []string{"finished"}, offsets: []uint64{0, 0, 0},
		},
		{
			name: "an expected job that is never created", expected: true, connections: []*connection{{end: unknown}},
			offsets: []uint64{0, 0, 0}, err: "no response for 1m0s: not_found: no such job",
		},
		{
			name:        "the first connection must succeed",
			connections: []*connection{{refused: broken}},
			offsets:     []uint64{0}, err: "connection reset",
		},
		{
			name: "a definite response",
			connections: []*connection{
				{messages: []*switchyardv1.FollowJobResponse{running}, end: broken}, {end: unknown},
			},
			calls: []string{"running", "interrupted"}, offsets: []uint64{0, 0}, err: "no such job",
		},
		{
			name: "patience ends",
			connections: []*connection{
				{messages: []*switchyardv1.FollowJobResponse{running}, end: broken}, {refused: broken},
			},
			calls: []string{"running", "interrupted"}, offsets: []uint64{0, 0, 0}, err: "no response for 1m0s",
		},
		{
			name: "the follower fails", full: full,
			connections: []*connection{{messages: []*switchyardv1.FollowJobResponse{piece(0, "x", 0), piece(1, "y", 0)}}},
			calls:       []string{"0:x"}, offsets: []uint64{0}, err: "no space left",
		},
		{
			name:        "a control plane that never responded",
			connections: []*connection{{refused: broken}, {messages: []*switchyardv1.FollowJobResponse{finished}}},
			offsets:     []uint64{0}, err: "connection reset",
		},
		{
			name: "a control plane that responded to an earlier call",
			connections: []*connection{
				{refused: broken}, {end: broken}, {messages: []*switchyardv1.FollowJobResponse{finished}},
			},
			reached: true,
			calls:   []string{"interrupted", "reconnected", "finished"}, offsets: []uint64{0, 0, 0},
		},
		{
			name: "an unknown event is ignored",
			connections: []*connection{
				{messages: []*switchyardv1.FollowJobResponse{{}, finished}},
			},
			calls: []string{"finished"}, offsets: []uint64{0},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var offsets []uint64
				r := &recorder{refuse: tt.full}
				reached := &atomic.Bool{}
				reached.Store(tt.reached)
				_, err := follow(t.Context(), r, followLoop{
					open: func(_ context.Context, offset uint64) (eventStream, error) {
						c := tt.connections[min(len(offsets), len(tt.connections)-1)]
						offsets = append(offsets, offset)
						return c, c.refused
					},
					failed: func(err error) error { return err }, patience: time.Minute,
					noWait: tt.noWait, expected: tt.expected, offset: tt.offset, reached: reached,
				})
				if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				if !slices.Equal(r.calls, tt.calls) {
					t.Errorf("calls\n%q, want\n%q", r.calls, tt.calls)
				}
				if len(offsets) < len(tt.offsets) || !slices.Equal(offsets[:len(tt.offsets)], tt.offsets) {
					t.Errorf("offsets %v, want %v first", offsets, tt.offsets)
				}
			})
		})
	}
}

// TestFollowPatience shows that patience starts again with each message, and that retries
// become slower.
func TestFollowPatience(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		broken := connect.NewError(connect.CodeUnavailable, errors.New("gone"))
		begin := time.Now()
		last := begin // when a message was received
		var tries []time.Duration
		_, err := follow(t.Context(), &recorder{}, followLoop{
			open: func(context.Context, uint64) (eventStream, error) {
				tries = append(tries, time.Since(begin))
				if time.Since(begin) < 40*time.Second {
					last = time.Now()
					return &connection{messages: []*switchyardv1.FollowJobResponse{{}}, end: broken}, nil
				}
				return nil, broken
			},
			failed: func(err error) error { return err }, patience: time.Minute, reached: &atomic.Bool{},
		})
		if err == nil {
			t.Fatal("no error")
		}
		if took := time.Since(last); took != time.Minute {
			t.Errorf("gave up %v after the last message", took)
		}
		if len(tries) < 40 || len(tries) > 300 {
			t.Errorf("%d tries in %v", len(tries), time.Since(begin))
		}
		for i, try := range tries[1:] {
			if gap := try - tries[i]; gap <= 0 || gap > maxRetry*3/2 {
				t.Errorf("tries %d and %d are %v apart", i, i+1, gap)
			}
		}
	})
}

// TestFollowInterrupted shows that a follow ends with its context, also during an outage.
func TestFollowInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(10*time.Second, func() { cancel(why) })
		messages := []*switchyardv1.FollowJobResponse{state(switchyardv1.JobState_JOB_STATE_RUNNING)}
		broken := connect.NewError(connect.CodeUnavailable, errors.New("gone"))
		job, err := follow(ctx, &recorder{}, followLoop{
			open: func(context.Context, uint64) (eventStream, error) {
				defer func() { messages = nil }()
				return &connection{messages: messages, end: broken}, nil
			},
			failed: func(err error) error { return err }, patience: time.Hour, reached: &atomic.Bool{},
		})
		if !errors.Is(err, why) || job.GetState() != switchyardv1.JobState_JOB_STATE_RUNNING {
			t.Errorf("job %v, error %v", job, err)
		}
	})
}
