package verify

import (
	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
)

// canSend reports whether the control plane can send a message now: without a
// stream it is dropped, and with one it needs room in the channel.
func (x *generator) canSend() bool {
	return x.from.link != linkServed || x.from.queued < x.bounds.InFlight
}

// send puts a message into the channel, if the stream is served.
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

// cut ends the connection. The messages in flight are lost.
func (w *world) cut() {
	w.channel, w.queued = [maxInFlight]uint8{}, 0
	w.link = linkSilent
}

// stall makes everything that is in flight, and all that follows, disappear.
func (w *world) stall() {
	w.channel, w.queued = [maxInFlight]uint8{}, 0
	w.link = linkStuck
}

// stream makes what can happen to the stream. The worker learns of an end when it
// happens, and of a message when it arrives.
func (x *generator) stream() {
	w := x.from
	if w.queued > 0 {
		x.event(moveDeliver, 0, every&^streamsSilent, (*world).take)
	}
	// A failed attempt while the stream is down changes nothing, and is not counted.
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
			x.event(moveLose, 0, noEnvironment, lose)
		}
		if mayLose {
			news = true
			x.event(moveRefuse, 0, noEnvironment, lose)
		}
	case linkStuck:
		x.event(moveLose, 0, every&^streamsSilent, lose)
		x.end()
	case linkServed:
		x.add(moveStall, 0, streamsSilent).world.stall()
		if mayLose {
			x.event(moveLose, 0, streamsFail, lose)
			x.event(moveRefuse, 0, noEnvironment, lose)
		}
		x.end()
		if w.queued == 0 {
			x.add(moveKeepAlive, 0, streamsWork).world.put(x.standing(w.worker))
		}
		for job := uint8(1); job <= x.bounds.Jobs && x.canSend(); job++ {
			if x.job(job).begun() {
				x.add(moveEcho, job, noEnvironment).world.put(messageJob + job - 1)
			}
		}
	}
}

// end makes the planned end of a connection that has sent a message.
func (x *generator) end() {
	if x.from.observer.stream.Open() {
		x.event(moveEnd, 0, noEnvironment, (*world).cut)
	}
}

// attach makes the ways in which the stream is served.
func (x *generator) attach() {
	w := x.from
	var offers []uint8
	for job := uint8(1); job <= x.bounds.Jobs; job++ {
		if x.job(job).onOffer() {
			offers = append(offers, messageJob+job-1)
		}
	}
	standing := x.standing(w.worker)
	x.attached(moveAttach, 0, streamsWork, append([]uint8{standing}, offers...))
	if standing != messageResume {
		return
	}
	if len(offers) > 0 {
		x.attached(moveAttachJobs, 0, noEnvironment, offers)
	}
	for job := uint8(1); job <= x.bounds.Jobs; job++ {
		if x.job(job).begun() {
			x.attached(moveAttachEcho, job, noEnvironment, append([]uint8{messageJob + job - 1}, offers...))
		}
	}
}

func (x *generator) attached(kind moveKind, job uint8, in explore.Environments, messages []uint8) {
	s := x.add(kind, job, in)
	s.world.link = linkServed
	for _, message := range messages {
		s.world.put(message)
	}
	x.seen(s)
}
