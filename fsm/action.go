package fsm

// Action is one named thing that a row does: it changes facts, asks for
// effects, or both.
type Action struct {
	// Name says it in words, such as "start job".
	Name string
	do   func(a *acting)
}

// acting is what an action works on: the facts once the event is known, the
// event, and the effects so far.
type acting struct {
	facts   *Facts
	ev      Event
	effects []Effect
}

func (a *acting) effect(e Effect) { a.effects = append(a.effects, e) }

// start takes the job in hand, and asks for it by an effect of the given kind.
func (a *acting) start(kind EffectKind, id JobID) {
	a.facts.Mailbox.remove(id)
	a.facts.Seen.add(id)
	a.facts.Job = id
	a.effect(Effect{Kind: kind, Job: id})
}

// plain returns the action that asks for an effect without more to say.
func plain(kind EffectKind) Action {
	return Action{kind.String(), func(a *acting) { a.effect(Effect{Kind: kind}) }}
}

// do is a row's list of actions, in their order.
func do(actions ...Action) []Action { return actions }

var (
	openStream    = plain(OpenStream)
	armPollNow    = plain(ArmPollNow)
	armPollLater  = plain(ArmPollLater)
	disarmPoll    = plain(DisarmPoll)
	cancelPing    = plain(CancelPing)
	stopAccepting = plain(StopAccepting)

	// armTrust sets the first-message deadline of the connection to come.
	armTrust = Action{ArmTrust.String(), func(a *acting) {
		a.effect(Effect{Kind: ArmTrust, Epoch: a.facts.Connection})
	}}
	sendPing = Action{SendPing.String(), func(a *acting) {
		a.facts.Ping++
		a.facts.Pinging = true
		a.facts.PingIsOld = false
		a.effect(Effect{Kind: SendPing, Epoch: a.facts.Ping})
	}}
	// startOffered starts the job that the event names.
	startOffered = Action{StartJob.String(), func(a *acting) { a.start(StartJob, a.ev.Job) }}
	// startWaiting starts the job that has waited longest.
	startWaiting = Action{"start job of mailbox", func(a *acting) {
		a.start(StartJob, a.facts.Mailbox.take())
	}}
	// acquire starts the one job of acquire mode, which Started names.
	acquire = Action{AcquireJob.String(), func(a *acting) { a.start(AcquireJob, a.ev.Job) }}
	// keepOffer lets the job that the event names wait.
	keepOffer = Action{"into the mailbox", func(a *acting) { a.facts.Mailbox.add(a.ev.Job) }}
	cancelJob = Action{CancelJob.String(), func(a *acting) {
		a.effect(Effect{Kind: CancelJob, Job: a.facts.Job})
	}}
	// stop leaves, for the reason that is known by now.
	stop = Action{Stop.String(), func(a *acting) {
		why := a.facts.Retiring
		if a.ev.Kind == IdleExpired {
			why = IdleTooLong
		}
		a.facts.leave(why)
		a.effect(Effect{Kind: Stop, Reason: a.facts.Leaving})
	}}
)

// fail returns the action that leaves because the worker cannot go on.
func fail(why LeaveReason) Action {
	return Action{"fail", func(a *acting) {
		a.facts.leave(why)
		a.effect(Effect{Kind: Stop, Reason: a.facts.Leaving})
	}}
}

var (
	failStream = fail(StreamWasRefused)
	failPing   = fail(PingWasRefused)
)
