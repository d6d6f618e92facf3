package verify

// The widths of fields, in bits.
const (
	machineBits = 16
	messageBits = 3
	recordBits  = 8
	workerBits  = 5
	endingBits  = 3
	reasonBits  = 4
	stateBits   = 3 // of pings and jobs in hand, and the length of the channel
	countBits   = 4
)

// packed is a world in two words, which can be compared and take little memory.
type packed [2]uint64

// codec writes the fields of a world to a word, or reads them from it.
type codec struct {
	word    uint64
	at      uint // the bit of the next field
	reading bool
}

func code[T ~uint8 | ~uint32](c *codec, field *T, bits uint) {
	if c.reading {
		*field = T(c.word >> c.at & (1<<bits - 1))
	} else {
		c.word |= uint64(*field) << c.at
	}
	c.at += bits
}

func (c *codec) flag(field *bool) {
	switch {
	case c.reading:
		*field = c.word>>c.at&1 == 1
	case *field:
		c.word |= 1 << c.at
	}
	c.at++
}

func (w *world) pack() packed {
	var a, b codec
	w.code(&a, &b)
	return packed{a.word, b.word}
}

// unpack is the inverse of pack.
func (w *world) unpack(p packed) {
	w.code(&codec{word: p[0], reading: true}, &codec{word: p[1], reading: true})
}

// code writes or reads every field.
func (w *world) code(a, b *codec) {
	code(a, &w.machine, machineBits)
	for i := range w.channel {
		code(a, &w.channel[i], messageBits)
	}
	code(a, &w.queued, stateBits)
	for i := range w.jobs[1:] {
		code(a, &w.jobs[i+1], recordBits)
	}
	code(a, &w.link, 2)
	code(a, &w.ping, stateBits)
	code(a, &w.phase, stateBits)

	code(b, &w.inHand, 2)
	code(b, &w.result, endingBits)
	b.flag(&w.trust)
	b.flag(&w.polled)
	b.flag(&w.only)
	b.flag(&w.noRetry)
	b.flag(&w.canceled)
	code(b, &w.poll, 2)
	code(b, &w.worker, workerBits)
	for i := range w.spool[1:] {
		code(b, &w.spool[i+1], endingBits)
	}
	code(b, &w.ran, maxJobs+1)
	o := &w.observer
	code(b, &o.stream, stateBits)
	b.flag(&o.paused)
	code(b, &o.leave, reasonBits)
	code(b, &o.retire, reasonBits)
	b.flag(&o.forced)
	b.flag(&o.idle)
	b.flag(&o.old)
	code(b, &o.started, maxJobs+1)
	code(b, &w.losses, countBits)
	code(b, &w.pauses, countBits)
}
