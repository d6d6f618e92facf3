package verify

import (
	"slices"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// result is how a process ended, in the world's words.
type result uint8

const (
	noResult     result = iota
	exited              // it ended by itself
	interrupted         // its agent ended it: a cancellation, a timeout or a stop of the worker
	endedByAgent        // its agent was stopped or killed, and ended it or did not see its end
	endUnknown          // the control plane lost it
	timedOut            // its agent ended it when its timeout had passed
	otherResult         // no result that the world knows
)

var results = [...]lifecycle.Result{
	noResult:     {},
	exited:       {ExitStatus: "0"},
	interrupted:  {ExitStatus: wire.ExitStatusNeverRan, Signal: "SIGTERM", SignalReason: wire.ReasonCancel},
	endedByAgent: {ExitStatus: wire.ExitStatusNeverRan, SignalReason: wire.ReasonAgentStop},
	endUnknown:   {ExitStatus: wire.ExitStatusNeverRan},
	timedOut:     {ExitStatus: wire.ExitStatusNeverRan, Signal: "SIGTERM", SignalReason: wire.ReasonTimedOut},
	otherResult:  {ExitStatus: "other"},
}

func (r result) String() string {
	return [...]string{
		"no result", "exit 0", "ended by request", "ended by its agent", "end unknown", "ended by its timeout", "another result",
	}[r]
}

func resultOf(r lifecycle.Result) result {
	if i := slices.IndexFunc(results[:], r.Same); i >= 0 {
		return result(i) //nolint:gosec // an index of a short array
	}
	return otherResult
}

// token is a token of a job: 0 is none. A name is used again once nobody holds the
// token that had it.
type token uint8

const maxTokens = 12

// endedToken stands for every token that must not act any more. No record has it:
// see checkMemory.
const endedToken token = 13

// gone is a token that was used, and that nobody holds any more.
const gone token = 15

// String returns the token as a letter.
func (t token) String() string {
	switch t {
	case 0:
		return ""
	case gone:
		return "gone"
	default:
	}
	return string(rune('a' + t - 1))
}

// tokens is a set of tokens.
type tokens uint16

func (s tokens) has(t token) bool { return t != 0 && s>>t&1 == 1 }

func (s tokens) with(t token) tokens {
	if t == 0 || t == gone {
		return s
	}
	return s | 1<<t
}

// record is what is stored of a job, without what no rule reads: the reasons and
// moments count only as being there, and the history is left out.
type record struct {
	state                                                 lifecycle.State
	worker                                                uint8
	tokens                                                tokens
	result, late                                          result // late is the one beside a retry
	retries                                               uint8
	cancel, stop, timedOut, isLate, retried, retryKept    bool
	reason, lostReason                                    bool
	submittedAt, assignedAt, acceptedAt, startedAt, ended bool
}

// someTime stands for every moment; no rule compares it.
var someTime = time.Unix(1, 0)

const (
	retryID    = "retry"
	someReason = "why"
)

var workerIDs = [...]string{"", "w1", "w2"}

func moment(set bool) time.Time {
	if set {
		return someTime
	}
	return time.Time{}
}

func text(set bool, value string) string {
	if set {
		return value
	}
	return ""
}

// job returns the record as the table knows it.
func (r *record) job() lifecycle.Job {
	j := lifecycle.Job{
		Result: results[r.result], State: r.state, WorkerID: workerIDs[r.worker], WorkerName: workerIDs[r.worker],
		CancelRequested: r.cancel, CancelReason: text(r.reason, someReason), StopRequested: r.stop, TimedOut: r.timedOut,
		LostReason: text(r.lostReason, someReason), Late: r.isLate, RetriesLeft: int(r.retries),
		RetriedBy: text(r.retried, retryID), RetryKept: r.retryKept, SubmittedAt: moment(r.submittedAt), AssignedAt: moment(r.assignedAt),
		AcceptedAt: moment(r.acceptedAt), StartedAt: moment(r.startedAt), FinishedAt: moment(r.ended),
	}
	for t := token(1); t <= maxTokens; t++ {
		if r.tokens.has(t) {
			j.Tokens = append(j.Tokens, t.String())
		}
	}
	if r.late != noResult {
		late := results[r.late]
		j.LateResult = &late
	}
	return j
}

// recordOf is the inverse of job. The order of tokens is left out.
func recordOf(j *lifecycle.Job) record {
	r := record{
		result: resultOf(j.Result), state: j.State, worker: workerOf(j.WorkerID),
		cancel: j.CancelRequested, reason: j.CancelReason != "", stop: j.StopRequested, timedOut: j.TimedOut,
		lostReason: j.LostReason != "", isLate: j.Late, retries: uint8(j.RetriesLeft), //nolint:gosec // 0 or 1
		retried: j.RetriedBy != "", retryKept: j.RetryKept, submittedAt: !j.SubmittedAt.IsZero(), assignedAt: !j.AssignedAt.IsZero(),
		acceptedAt: !j.AcceptedAt.IsZero(), startedAt: !j.StartedAt.IsZero(), ended: !j.FinishedAt.IsZero(),
	}
	for _, t := range j.Tokens {
		if j.Holds(t) {
			r.tokens = r.tokens.with(tokenOf(t))
		}
	}
	if j.LateResult != nil {
		r.late = resultOf(*j.LateResult)
	}
	return r
}

func tokenOf(name string) token {
	if name == "" {
		return 0
	}
	return token(strings.IndexByte("abcdefghijklmno", name[0]) + 1) //nolint:gosec // at most 15
}

func workerOf(id string) uint8 {
	return uint8(max(0, slices.Index(workerIDs[:], id))) //nolint:gosec // at most 2
}

// input is an event of the world.
type input struct {
	kind             lifecycle.EventKind
	worker           uint8
	token            token
	result           result
	overdue, noRetry bool
}

func (in *input) event() lifecycle.Event {
	id := workerIDs[in.worker]
	return lifecycle.Event{
		Kind: in.kind, At: someTime, Actor: "world", Reason: someReason, WorkerID: id, WorkerName: id,
		Token: in.token.String(), Result: results[in.result], Overdue: in.overdue, NoRetry: in.noRetry, RetryID: retryID,
	}
}

// String returns the event as a command of testdata/jobs.
func (in *input) String() string {
	var b strings.Builder
	b.WriteString(in.kind.String())
	field := func(name, value string) {
		if value != "" {
			b.WriteString(" " + name + "=" + value)
		}
	}
	field("worker", workerIDs[in.worker])
	field("token", in.token.String())
	if in.kind == lifecycle.Finished {
		r := results[in.result]
		field("exit", r.ExitStatus)
		field("signal", r.Signal)
		field("because", r.SignalReason)
	}
	if in.overdue {
		b.WriteString(" overdue")
	}
	if in.noRetry {
		b.WriteString(" no-retry")
	}
	if mayRetry(in.kind) {
		field("retry", retryID)
	}
	return b.String()
}

func mayRetry(k lifecycle.EventKind) bool {
	return k == lifecycle.Finished || k == lifecycle.Silent || k == lifecycle.Absent || k == lifecycle.WorkerRevoked
}
