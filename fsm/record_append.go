package fsm

import (
	"encoding/json"
	"strconv"
	"time"
)

// object is an object of JSON whose fields are being appended: what encoding/json would
// write for a recordLine, without reflection. A record is encoded for every event of every
// worker, and four or five of them are part of the cost of a job. Fields named opt are left
// out if their value is zero.
type object []byte

// decimal is the base of the numbers.
const decimal = 10

// record appends the fields of a recordLine.
func (o object) record(r *Record, whole bool) object {
	o = o.time("time", r.Time).text("worker", r.Worker)
	if whole {
		o = o.optText("name", r.Name)
	}
	o = o.text("event", r.Event.Kind.String()).optNumber("epoch", uint64(r.Event.Epoch)).optText("job", string(r.Event.Job))
	o = o.optText("cause", r.Cause).text("from", r.From.String()).text("to", r.To.String())
	o = o.optText("guard", r.Guard).optText("ignored", r.Ignored)
	if len(r.Effects) > 0 {
		o = append(o.key("effects"), '[')
		for i := range r.Effects {
			o = append(append(o.separate(), '{').effect(&r.Effects[i]), '}')
		}
		o = append(o, ']')
	}
	o = append(append(o.key("facts"), '{').facts(&r.Facts, whole), '}')
	if r.Folded != 0 {
		o = strconv.AppendInt(o.key("folded"), int64(r.Folded), decimal)
	}
	if !r.Since.IsZero() {
		o = o.time("since", r.Since)
	}
	return o
}

// effect appends the fields of an Effect.
func (o object) effect(e *Effect) object {
	return o.text("do", e.Kind.String()).optNumber("epoch", uint64(e.Epoch)).optText("job", string(e.Job)).optReason("reason", e.Reason)
}

// facts appends the fields of a factsLine, the jobs seen if it is whole.
func (o object) facts(f *Facts, whole bool) object {
	o = o.text("mode", f.Mode.String()).optTrue("after_job", f.RetireAfterJob)
	o = o.text("stream", f.Stream.String()).optNumber("connection", uint64(f.Connection)).optTrue("paused", f.Paused)
	o = o.optReason("leaving", f.Leaving).optReason("retiring", f.Retiring).optTrue("idle_expired", f.IdleExpired)
	o = o.optText("job", string(f.Job)).optNumber("ping", uint64(f.Ping)).optTrue("pinging", f.Pinging).optTrue("old", f.PingIsOld)
	if len(f.Mailbox.ids) > 0 {
		o = o.list("mailbox", f.Mailbox.ids)
	}
	if whole {
		o = o.list("seen", f.Seen.IDs())
	}
	return o
}

// separate appends a comma, unless the object or list has just begun.
func (o object) separate() object {
	if last := o[len(o)-1]; last == '{' || last == '[' {
		return o
	}
	return append(o, ',')
}

func (o object) key(name string) object {
	return append(append(append(o.separate(), '"'), name...), `":`...)
}

func (o object) text(name, value string) object { return appendText(o.key(name), value) }

func (o object) optText(name, value string) object {
	if value == "" {
		return o
	}
	return o.text(name, value)
}

func (o object) optNumber(name string, value uint64) object {
	if value == 0 {
		return o
	}
	return strconv.AppendUint(o.key(name), value, decimal)
}

func (o object) optTrue(name string, value bool) object {
	if !value {
		return o
	}
	return append(o.key(name), "true"...)
}

func (o object) optReason(name string, value LeaveReason) object {
	if value == Staying {
		return o
	}
	return o.text(name, value.String())
}

func (o object) list(name string, ids []JobID) object {
	o = append(o.key(name), '[')
	for _, id := range ids {
		o = appendText(o.separate(), string(id))
	}
	return append(o, ']')
}

func (o object) time(name string, value time.Time) object {
	b, err := value.AppendText(append(o.key(name), '"'))
	if err != nil {
		panic(err) // a time after the year 9999
	}
	return append(b, '"')
}

// appendText appends a string of JSON. Only one that needs no escapes is written here.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ', c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&': // encoding/json escapes more than JSON requires
			escaped, err := json.Marshal(text)
			if err != nil {
				panic(err) // strings have no error
			}
			return append(b, escaped...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}
