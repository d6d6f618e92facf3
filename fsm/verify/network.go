package verify

import "github.com/switchyard-ci/switchyard/fsm"

// canSend tells whether the control plane can send a message now: without a
// stream it goes nowhere, and with one it needs room on the way.
func (x *surroundings) canSend() bool {
	return x.from.link != linkServed || x.from.queued < x.bounds.InFlight
}

// send puts a message on its way, if there is a stream.
func (w *world) send(message uint8) {
	if w.link == linkServed {
		w.put(message)
	}
}

func (w *world) put(message uint8) {
	w.channel[w.queued] = message
	w.queued++
}

// take removes the next message.
func (w *world) take() {
	copy(w.channel[:], w.channel[1:])
	w.channel[maxInFlight-1] = messageNone
	w.queued--
}

// cut ends the connection. What was on its way is lost: to be sent and lost is
// to be sent to a connection of which only one side knows that it is over.
func (w *world) cut() {
	w.channel, w.queued = [maxInFlight]uint8{}, 0
	w.link = linkSilent
}

// standing is what a keep-alive says, and what a stream begins with.
func (w *world) standing() uint8 {
	switch {
	case w.stopping:
		return messageDisconnect
	case w.paused:
		return messagePause
	}
	return messageResume
}

// stream is what can become of the stream. The worker hears of an end when it
// happens, and of a message when it arrives.
func (x *surroundings) stream() {
	w := x.from
	if w.queued > 0 {
		x.tell(moveDeliver, 0, always, (*world).take)
	}
	// The loss of what was lost before is no news, and is not counted.
	news := w.link == linkServed || w.observer.stream == fsm.StreamUnknown
	mayLose := x.bounds.Losses == 0 || w.losses < x.bounds.Losses
	lose := func(w *world) {
		w.cut()
		if news && x.bounds.Losses > 0 {
			w.losses++
		}
	}
	switch w.link {
	case linkOff:
	case linkSilent:
		x.attach()
		if mayLose || !news {
			x.tell(moveLose, 0, trouble, lose)
		}
		if mayLose {
			news = true
			x.tell(moveRefuse, 0, trouble, lose)
		}
	case linkServed:
		if mayLose {
			x.tell(moveLose, 0, streamless, lose)
			x.tell(moveRefuse, 0, trouble, lose)
		}
		if w.observer.stream == fsm.StreamUp {
			x.tell(moveEnd, 0, trouble, (*world).cut)
		}
		if w.queued == 0 {
			x.add(moveKeepAlive, 0, trouble).world.put(w.standing())
		}
		for job := uint8(1); job <= x.bounds.Jobs && x.canSend(); job++ {
			if w.jobs[job].begun() {
				x.add(moveEcho, job, trouble).world.put(messageJob + job - 1)
			}
		}
	}
}

// attach serves the stream.
func (x *surroundings) attach() {
	w := x.from
	var offers []uint8
	for job := uint8(1); job <= x.bounds.Jobs; job++ {
		if w.jobs[job].onOffer() {
			offers = append(offers, messageJob+job-1)
		}
	}
	x.attached(moveAttach, 0, fair|pingless, append([]uint8{w.standing()}, offers...))
	if w.standing() != messageResume {
		return
	}
	if len(offers) > 0 {
		x.attached(moveAttachJobs, 0, trouble, offers)
	}
	for job := uint8(1); job <= x.bounds.Jobs; job++ {
		if w.jobs[job].begun() {
			x.attached(moveAttachEcho, job, trouble, append([]uint8{messageJob + job - 1}, offers...))
		}
	}
}

func (x *surroundings) attached(kind moveKind, job uint8, in weather, messages []uint8) {
	s := x.add(kind, job, in)
	s.world.link = linkServed
	for _, message := range messages {
		s.world.put(message)
	}
}
