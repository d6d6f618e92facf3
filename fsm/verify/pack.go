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

// packed is a world in two words.
type packed [2]uint64

// packer writes or reads fields of a word from its low end.
type packer struct {
	word uint64
	at   uint
}

func (p *packer) put(v uint64, bits uint) {
	p.word |= v << p.at
	p.at += bits
}

func (p *packer) putBool(v bool) {
	if v {
		p.word |= 1 << p.at
	}
	p.at++
}

func (p *packer) get(bits uint) uint8 {
	v := p.word >> p.at & (1<<bits - 1)
	p.at += bits
	return uint8(v) //nolint:gosec // bits is at most eight
}

func (p *packer) getBool() bool { return p.get(1) == 1 }

// pack returns the world in two words, which can be compared and take little
// memory.
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
	a.putBool(w.trust)
	a.putBool(w.polled)
	a.putBool(w.only)

	b.put(uint64(w.poll), 2)
	b.put(uint64(w.queued), stateBits)
	b.putBool(w.noRetry)
	b.putBool(w.cancelled)
	b.putBool(w.paused)
	b.putBool(w.stopping)
	o := &w.observer
	b.put(uint64(o.stream), 2)
	b.putBool(o.paused)
	b.put(uint64(o.leave), reasonBits)
	b.put(uint64(o.retire), reasonBits)
	b.putBool(o.forced)
	b.putBool(o.old)
	b.put(uint64(o.started), maxJobs+1)
	b.put(uint64(w.losses), countBits)
	b.put(uint64(w.pauses), countBits)
	return packed{a.word, b.word}
}

// unpack is the inverse of pack.
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
	w.trust = a.getBool()
	w.polled = a.getBool()
	w.only = a.getBool()

	w.poll = pollTimer(b.get(2))
	w.queued = b.get(stateBits)
	w.noRetry = b.getBool()
	w.cancelled = b.getBool()
	w.paused = b.getBool()
	w.stopping = b.getBool()
	o := &w.observer
	o.stream = fsm.StreamStatus(b.get(2))
	o.paused = b.getBool()
	o.leave = fsm.LeaveReason(b.get(reasonBits))
	o.retire = fsm.LeaveReason(b.get(reasonBits))
	o.forced = b.getBool()
	o.old = b.getBool()
	o.started = b.get(maxJobs + 1)
	w.losses = b.get(countBits)
	w.pauses = b.get(countBits)
}
