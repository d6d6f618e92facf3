package fsm

// Action is one named thing that a row does: it changes facts, appends effects,
// or both.
type Action struct {
	// Name is the action in words, such as "start job".
	Name string

	meaning string
	do      func(x *execution)
}

// execution is what an action works on: the facts after the event, the event,
// and the effects so far.
type execution struct {
	facts   *Facts
	ev      Event
	effects []Effect
}

// perform sets the facts to those after the decision, and appends its effects.
// The decision must have a row.
func (x *execution) perform(d *Decision) {
	*x.facts = d.facts
	x.ev = d.ev
	for _, action := range d.Row.Do {
		action.do(x)
	}
}

func (x *execution) effect(e Effect) { x.effects = append(x.effects, e) }

// start takes the job in hand, and appends an effect of the given kind for it.
func (x *execution) start(kind EffectKind, id JobID) {
	x.facts.Mailbox.remove(id)
	x.facts.Seen.add(id)
	x.facts.Job, x.facts.IdleExpired = id, false
	x.effect(Effect{Kind: kind, Job: id})
}

func (x *execution) leave(why LeaveReason) {
	x.facts.leave(why)
	x.effect(Effect{Kind: Stop, Reason: x.facts.Leaving})
}

// only returns the action that appends an effect without arguments.
func only(kind EffectKind, meaning string) Action {
	return Action{kind.String(), meaning, func(x *execution) { x.effect(Effect{Kind: kind}) }}
}

// leaveFor returns the action that leaves for a reason, unless an earlier one is
// in the facts.
func leaveFor(why LeaveReason) Action {
	meaning := "leave for this reason"
	if why.Failed() {
		meaning = "leave as a failure: the worker cannot go on"
	}
	return Action{Stop.String() + ": " + why.String(), meaning, func(x *execution) { x.leave(why) }}
}

// do returns a row's list of actions, in their order.
func do(actions ...Action) []Action { return actions }

var (
	openStream    = only(OpenStream, "open the stream, and reopen it whenever it ends, until the worker stops")
	armPollNow    = only(ArmPollNow, "post PollDue at once")
	armPollLater  = only(ArmPollLater, "post PollDue when the ping interval has passed")
	disarmPoll    = only(DisarmPoll, "do not post PollDue")
	cancelPing    = only(CancelPing, "cancel the ping in flight; a job in its answer is offered again")
	stopAccepting = only(StopAccepting, "if the control plane has not accepted the job in hand, stop retrying")

	armTrust = Action{
		ArmTrust.String(), "post TrustExpired if the first message of the next connection does not arrive in time",
		func(x *execution) { x.effect(Effect{Kind: ArmTrust, Epoch: x.facts.Connection}) },
	}
	sendPing = Action{SendPing.String(), "ask the control plane for an instruction, once", func(x *execution) {
		x.facts.Ping++
		x.facts.Pinging = true
		x.facts.PingIsOld = false
		x.effect(Effect{Kind: SendPing, Epoch: x.facts.Ping})
	}}
	startOffered = Action{
		StartJob.String(), "accept the offered job, and run it",
		func(x *execution) { x.start(StartJob, x.ev.Job) },
	}
	startWaiting = Action{
		"start job from mailbox", "accept the job that has waited longest, and run it",
		func(x *execution) { x.start(StartJob, x.facts.Mailbox.take()) },
	}
	acquire = Action{
		AcquireJob.String(), "ask for the one job that the worker was started for, and run it",
		func(x *execution) { x.start(AcquireJob, x.ev.Job) },
	}
	keepOffer = Action{
		"put job in mailbox", "keep the offered job; it is started when no work is in hand and the worker is not paused",
		func(x *execution) { x.facts.Mailbox.add(x.ev.Job) },
	}
	expireIdle = Action{
		"note idle timeout", "leave after the answer to the ping in flight, unless that brings a job or a pause",
		func(x *execution) { x.facts.IdleExpired = true },
	}
	forget = Action{
		"forget job", "the rejected job was not started, and may be offered again",
		func(x *execution) { x.facts.Seen.remove(x.ev.Job) },
	}
	cancelJob = Action{
		CancelJob.String(), "cancel the job in hand; if it does not end in time it is killed",
		func(x *execution) { x.effect(Effect{Kind: CancelJob, Job: x.facts.Job}) },
	}
	leave = Action{
		Stop.String(), "leave, for the reason in the facts",
		func(x *execution) { x.leave(x.facts.Retiring) },
	}
)
