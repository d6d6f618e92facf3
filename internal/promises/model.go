// Package promises is a sequential model of a control plane, of which an outsider knows
// nothing but what it promises. A history of requests, and the responses, in real time is
// compared with it by porcupine.
package promises

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// The outcomes of a request.
const (
	OK      = "ok"
	Refused = "refused" // a response that the request is not carried out
	Unknown = "unknown" // no response, or one that leaves open whether it was carried out
)

// The end of a job that was canceled, as state and as result.
const canceled = "canceled"

// Request is one request about a job, by a client of any replica.
type Request struct {
	Do     string // submit, accept, start, finish, cancel or get
	Key    string // the idempotency key of the job
	ID     string // the job; empty for a submission
	Worker string // of an acceptance
	// Tags are those that a submitted job requires, or those of the worker of an acceptance,
	// separated by spaces.
	Tags   string
	Token  string // of a start and a finish
	Result string // the exit status of a finish
}

// Response is what the client learned.
type Response struct {
	Outcome string
	ID      string // of a submission
	Token   string // of an acceptance
	// State and Result are of a get: see visible. An unknown job has no state.
	State, Result string
}

// jobModel is all that an outsider knows of the job of one key. Strings keep it
// comparable.
type jobModel struct {
	exists  bool
	tags    string // that it requires
	id      string // empty while nobody knows it
	holder  string // the worker of the last acceptance
	tokens  string // those that may start the job, each followed by a space
	started string // the one token that was granted the start
	ended   string // canceled, or the result; empty before
	endedBy string // the token that reported the result
}

// Model returns the model of the control plane, for one job: an acknowledged submission
// exists from then on, and its key makes no second job; one token is granted the start;
// a token that was granted the start may report the result, once; what was acknowledged
// is what is read. The control plane may withdraw an offer or an acceptance at any time,
// so it may refuse what depends on one. A worker has the tags of a job that it accepts.
func Model() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Partition: ByKey,
		Init:      func() []any { return []any{jobModel{}} },
		Step: func(state, input, output any) (next []any) {
			for _, s := range step(state.(jobModel), input.(Request), output.(Response)) { //nolint:forcetypeassert // a history has nothing else
				next = append(next, s)
			}
			return next
		},
		Hash: func(state any) uint64 {
			h := fnv.New64a()
			_, _ = fmt.Fprint(h, state)
			return h.Sum64()
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
	}
	return model.ToModel()
}

// ByKey divides a history into those of the keys.
func ByKey(history []porcupine.Operation) (parts [][]porcupine.Operation) {
	keys := map[string][]porcupine.Operation{}
	for _, op := range history {
		key := op.Input.(Request).Key //nolint:forcetypeassert // the same
		keys[key] = append(keys[key], op)
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		parts = append(parts, keys[key])
	}
	return parts
}

// step returns the states that a job may have after a request with this response; none
// if the response breaks a promise.
func step(s jobModel, in Request, out Response) []jobModel {
	done, may := apply(s, in, out)
	switch {
	case out.Outcome == Unknown && may:
		return []jobModel{s, done}
	case out.Outcome == Unknown:
		return []jobModel{s}
	case out.Outcome == Refused && mayRefuse(s, in):
		return []jobModel{s}
	case out.Outcome == OK && may:
		return []jobModel{done}
	}
	return nil
}

// apply returns the job after a request that was carried out, and whether it may be.
func apply(s jobModel, in Request, out Response) (_ jobModel, may bool) {
	id := in.ID + out.ID // one of them is empty
	if s.exists && id != "" && s.id != "" && id != s.id {
		return s, false // a second job of one key
	}
	if in.Do == "submit" && !s.exists {
		s.exists, s.tags = true, in.Tags
	}
	if !s.exists {
		return s, in.Do == "get" && out.State == ""
	}
	if s.id == "" {
		s.id = id
	}
	running := s.ended == "" && s.started == in.Token
	startable := s.ended == "" && s.started == "" && slices.Contains(strings.Fields(s.tokens), in.Token)
	switch in.Do {
	case "accept":
		if s.started != "" || s.ended != "" || !wire.HasTags(strings.Fields(in.Tags), strings.Fields(s.tags)) {
			return s, false
		}
		if s.holder != in.Worker {
			s.holder, s.tokens = in.Worker, ""
		}
		s.tokens += out.Token + " "
		return s, true
	case "start":
		may = running || startable
		s.started = in.Token
		return s, may
	case "finish":
		if s.ended != "" {
			return s, s.endedBy == in.Token && s.ended == in.Result
		}
		may = running || startable // an agent may give up before the start
		s.started, s.ended, s.endedBy = in.Token, in.Result, in.Token
		return s, may
	case "cancel":
		switch {
		case s.ended != "":
			return s, s.ended == canceled
		case s.started == "":
			s.ended = canceled
		}
		return s, true
	case "get":
		return s, out.State == visible(s) && (s.endedBy == "" || out.Result == s.ended)
	}
	return s, true
}

// visible returns the state of a job as far as an outsider can know it.
func visible(s jobModel) string {
	switch {
	case !s.exists:
		return ""
	case s.ended == canceled:
		return canceled
	case s.ended != "":
		return "finished"
	case s.started != "":
		return "running"
	}
	return "waiting"
}

// mayRefuse reports whether the control plane may refuse a request.
func mayRefuse(s jobModel, in Request) bool {
	switch in.Do {
	case "submit", "get":
		return false
	case "start":
		return s.started != in.Token || s.ended != ""
	case "finish":
		return s.started != in.Token || s.ended != "" && s.ended != in.Result
	case "cancel":
		return !s.exists || s.ended != "" && s.ended != canceled
	}
	return true
}
