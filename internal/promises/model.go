package worldtest

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"
)

// The outcomes of a request.
const (
	ok      = "ok"
	refused = "refused" // a response that the request is not carried out
	unknown = "unknown" // no response, or one that leaves open whether it was carried out
)

// request is one request about a job, by a client of any replica.
type request struct {
	do     string // submit, accept, start, finish, cancel or get
	key    string // the idempotency key of the job
	id     string // the job; empty for a submission
	worker string // of an acceptance
	token  string // of a start and a finish
	result string // the exit status of a finish
}

// response is what the client learned.
type response struct {
	outcome string
	id      string // of a submission
	token   string // of an acceptance
	// state and result are of a get: see visible. An unknown job has no state.
	state, result string
}

// jobModel is all that an outsider knows of the job of one key. Strings keep it
// comparable.
type jobModel struct {
	exists  bool
	id      string // empty while nobody knows it
	holder  string // the worker of the last acceptance
	tokens  string // those that may start the job, each followed by a space
	started string // the one token that was granted the start
	ended   string // canceled, or the result; empty before
	endedBy string // the token that reported the result
}

// promises are the model of the control plane, for one job: an acknowledged submission
// exists from then on, and its key makes no second job; one token is granted the start;
// a token that was granted the start may report the result, once; what was acknowledged
// is what is read. The control plane may withdraw an offer or an acceptance at any time,
// so it may refuse what depends on one.
func promises() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Partition: byKey,
		Init:      func() []any { return []any{jobModel{}} },
		Step: func(state, input, output any) (next []any) {
			for _, s := range step(state.(jobModel), input.(request), output.(response)) { //nolint:forcetypeassert // nothing else is in a history
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

// byKey divides a history into those of the keys.
func byKey(history []porcupine.Operation) (parts [][]porcupine.Operation) {
	keys := map[string][]porcupine.Operation{}
	for _, op := range history {
		key := op.Input.(request).key //nolint:forcetypeassert // the same
		keys[key] = append(keys[key], op)
	}
	for _, key := range sorted(keys) {
		parts = append(parts, keys[key])
	}
	return parts
}

// step returns the states that a job may have after a request with this response; none
// if the response breaks a promise.
func step(s jobModel, in request, out response) []jobModel {
	done, may := apply(s, in, out)
	switch {
	case out.outcome == unknown && may:
		return []jobModel{s, done}
	case out.outcome == unknown:
		return []jobModel{s}
	case out.outcome == refused && mayRefuse(s, in):
		return []jobModel{s}
	case out.outcome == ok && may:
		return []jobModel{done}
	}
	return nil
}

// apply returns the job after a request that was carried out, and whether it may be.
func apply(s jobModel, in request, out response) (_ jobModel, may bool) {
	id := in.id + out.id // one of them is empty
	if s.exists && id != "" && s.id != "" && id != s.id {
		return s, false // a second job of one key
	}
	if in.do == "submit" {
		s.exists = true
	}
	if !s.exists {
		return s, in.do == "get" && out.state == ""
	}
	if s.id == "" {
		s.id = id
	}
	running := s.ended == "" && s.started == in.token
	startable := s.ended == "" && s.started == "" && slices.Contains(strings.Fields(s.tokens), in.token)
	switch in.do {
	case "accept":
		if s.started != "" || s.ended != "" {
			return s, false
		}
		if s.holder != in.worker {
			s.holder, s.tokens = in.worker, ""
		}
		s.tokens += out.token + " "
		return s, true
	case "start":
		may = running || startable
		s.started = in.token
		return s, may
	case "finish":
		if s.ended != "" {
			return s, s.endedBy == in.token && s.ended == in.result
		}
		may = running || startable // an agent may give up before the start
		s.started, s.ended, s.endedBy = in.token, in.result, in.token
		return s, may
	case "cancel":
		switch {
		case s.ended != "":
			return s, s.ended == "canceled"
		case s.started == "":
			s.ended = "canceled"
		}
		return s, true
	case "get":
		return s, out.state == visible(s) && (s.endedBy == "" || out.result == s.ended)
	}
	return s, true
}

// visible returns the state of a job as far as an outsider can know it.
func visible(s jobModel) string {
	switch {
	case !s.exists:
		return ""
	case s.ended == "canceled":
		return "canceled"
	case s.ended != "":
		return "finished"
	case s.started != "":
		return "running"
	}
	return "waiting"
}

// mayRefuse reports whether the control plane may refuse a request.
func mayRefuse(s jobModel, in request) bool {
	switch in.do {
	case "submit", "get":
		return false
	case "start":
		return s.started != in.token || s.ended != ""
	case "finish":
		return s.started != in.token || s.ended != "" && s.ended != in.result
	case "cancel":
		return !s.exists || s.ended != "" && s.ended != "canceled"
	}
	return true
}
