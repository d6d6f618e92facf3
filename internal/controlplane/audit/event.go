package audit

import (
	"strings"
	"time"

	"go.uber.org/zap"
)

// The most bytes of the fields of an Event that come from callers.
const (
	maxText   = 256
	maxDetail = 512
)

// Event is one change that a caller made.
type Event struct {
	At time.Time `json:"at"`
	// Action is the name of the call, such as "CancelJob".
	Action string `json:"action"`
	// Actor and ActorID are the name and the ID of the caller's token, or of the
	// worker or job whose token the caller presented.
	Actor   string `json:"actor"`
	ActorID string `json:"actor_id"`
	// Address is the host from which the request came.
	Address string `json:"address,omitempty"`
	Target  Target `json:"target,omitzero"`
	// Detail is the caller's reason, and what else is worth knowing, for people.
	Detail string `json:"detail,omitempty"`
}

// Target is what was changed. The name is of a worker or a token.
type Target struct {
	Kind string `json:"kind"`
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// bounded returns the event with every text cut to its bound.
func (e Event) bounded() Event {
	for _, text := range []*string{&e.Action, &e.Actor, &e.ActorID, &e.Address, &e.Target.Kind, &e.Target.ID, &e.Target.Name} {
		*text = cut(*text, maxText)
	}
	e.Detail = cut(e.Detail, maxDetail)
	return e
}

func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "..."
}

// kind returns by which the log is bounded: submissions are many, and must not
// displace what operators did.
func (e Event) kind() string {
	if e.Action == SubmitJob {
		return "submission"
	}
	return "change"
}

// SubmitJob is the action of a submission.
const SubmitJob = "SubmitJob"

func (e Event) fields() []zap.Field {
	return []zap.Field{
		zap.String("action", e.Action), zap.String("actor", e.Actor), zap.String("actor_id", e.ActorID),
		zap.String("address", e.Address), zap.String("target", e.Target.Kind), zap.String("target_id", e.Target.ID),
		zap.String("target_name", e.Target.Name), zap.String("reason", e.Detail),
	}
}
