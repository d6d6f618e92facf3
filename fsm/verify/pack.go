package verify

import "github.com/switchyard-ci/switchyard/fsm"

// The widths of fields, in bits.
const (
	machineBits = 20
	messageBits = 3
	jobBits     = 3
	reasonBits  = 4
	stateBits   = 3 // of pings and jobs in hand, and the length of the channel
	countBits   = 4
)

// pack returns the world in two words, to be compared and stored. unpack is its
// inverse.
func (w *world) pack() packed {
	var a, b packer
	a.put(uint64(w.machine), machineBits)
	for _, message := range w.channel {
		a.put(uint64(message), messageBits)
	}
	for _, job := range w.jobs[1:] {
		a.put(uint64(job), jobBits)
	}
	a.put(uint64(w.link), 2)
	a.put(uint64(w.ping), stateBits)
	a.put(uint64(w.phase), stateBits)
	a.put(uint64(w.inHand), 2)
	a.flag(w.trust)
	a.flag(w.polled)
	a.flag(w.only)

	b.put(uint64(w.poll), 2)
	b.put(uint64(w.queued), stateBits)
	b.flag(w.notAskMore)
	b.flag(w.cancelled)
	b.flag(w.paused)
	b.flag(w.stopping)
	o := &w.observer
	b.put(uint64(o.stream), 2)
	b.flag(o.paused)
	b.put(uint64(o.leave), reasonBits)
	b.put(uint64(o.retire), reasonBits)
	b.flag(o.forced)
	b.flag(o.old)
	b.put(uint64(o.started), maxJobs+1)
	b.put(uint64(w.losses), countBits)
	b.put(uint64(w.pauses), countBits)
	return packed{a.word, b.word}
}

func (w *world) unpack(p packed) {
	a, b := packer{word: p[0]}, packer{word: p[1]}
	w.machine = uint32(a.word & (1<<machineBits - 1))
	a.at = machineBits
	for i := range w.channel {
		w.channel[i] = a.get(messageBits)
	}
	for i := range w.jobs[1:] {
		w.jobs[i+1] = jobState(a.get(jobBits))
	}
	w.link = linkState(a.get(2))
	w.ping = pingState(a.get(stateBits))
	w.phase = jobPhase(a.get(stateBits))
	w.inHand = a.get(2)
	w.trust = a.is()
	w.polled = a.is()
	w.only = a.is()

	w.poll = pollTimer(b.get(2))
	w.queued = b.get(stateBits)
	w.notAskMore = b.is()
	w.cancelled = b.is()
	w.paused = b.is()
	w.stopping = b.is()
	o := &w.observer
	o.stream = fsm.StreamStatus(b.get(2))
	o.paused = b.is()
	o.leave = fsm.LeaveReason(b.get(reasonBits))
	o.retire = fsm.LeaveReason(b.get(reasonBits))
	o.forced = b.is()
	o.old = b.is()
	o.started = b.get(maxJobs + 1)
	w.losses = b.get(countBits)
	w.pauses = b.get(countBits)
}
