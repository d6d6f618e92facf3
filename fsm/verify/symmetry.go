package verify

import "github.com/switchyard-ci/switchyard/fsm"

// renaming is new names for the jobs: job is renamed to renaming[job].
type renaming [maxJobs + 1]uint8

// renamings returns every renaming of the jobs, first the one that changes nothing.
func renamings(jobs uint8) []renaming {
	var all []renaming
	var extend func(r renaming, job uint8)
	extend = func(r renaming, job uint8) {
		if job > jobs {
			all = append(all, r)
			return
		}
		for to := uint8(1); to <= jobs; to++ {
			if used := r; !used.uses(to, job) {
				used[job] = to
				extend(used, job+1)
			}
		}
	}
	identity := renaming{}
	for job := range identity {
		identity[job] = uint8(job)
	}
	extend(identity, 1)
	return all
}

// uses reports whether a job before one has the name.
func (r *renaming) uses(name, before uint8) bool {
	for job := uint8(1); job < before; job++ {
		if r[job] == name {
			return true
		}
	}
	return false
}

func (r *renaming) bits(set uint8) uint8 {
	var renamed uint8
	for job := uint8(1); job <= maxJobs; job++ {
		if set&(1<<job) != 0 {
			renamed |= 1 << r[job]
		}
	}
	return renamed
}

// canonical returns the state that stands for those in which the jobs of a world have
// other names. p is the world's own. In mode acquire the name of a job makes a
// difference.
func (x *generator) canonical(w *world, p packed) packed {
	if len(x.renamings) == 0 {
		return p
	}
	var shapes [maxJobs + 1]uint32
	for job := uint8(1); job <= x.bounds.Jobs; job++ {
		shapes[job] = w.shape(job)
	}
	var least packed
	found := false
	for i := range x.renamings {
		if !x.renamings[i].sorts(&shapes, x.bounds.Jobs) {
			continue
		}
		other := p
		if i > 0 {
			other = x.renamed(w, i).pack()
		}
		if !found || other.before(least) {
			least, found = other, true
		}
	}
	return least
}

// shape returns what is known of a job besides its name and its place in queues.
func (w *world) shape(job uint8) uint32 {
	shape := uint32(w.jobs[job])<<endingBits | uint32(w.spool[job])
	for _, is := range []bool{w.inHand == job, w.ran&(1<<job) != 0, w.observer.started&(1<<job) != 0} {
		shape <<= 1
		if is {
			shape |= 1
		}
	}
	return shape
}

// sorts reports whether the jobs are in the order of their shapes with their new names.
func (r *renaming) sorts(shapes *[maxJobs + 1]uint32, jobs uint8) bool {
	var renamed [maxJobs + 1]uint32
	for job := uint8(1); job <= jobs; job++ {
		renamed[r[job]] = shapes[job]
	}
	for job := uint8(2); job <= jobs; job++ {
		if renamed[job] < renamed[job-1] {
			return false
		}
	}
	return true
}

// before orders packed worlds.
func (p packed) before(other packed) bool {
	if p[0] != other[0] {
		return p[0] < other[0]
	}
	return p[1] < other[1]
}

// renamed returns the world with other names for the jobs.
func (x *generator) renamed(w *world, by int) *world {
	r := &x.renamings[by]
	to := *w
	to.machine = x.situations.renamed(w.machine, by, r)
	to.inHand = r[w.inHand]
	for i, message := range w.channel {
		if message >= messageJob {
			to.channel[i] = messageJob + r[message-messageJob+1] - 1
		}
	}
	if w.ping >= pingJob {
		to.ping = pingJob + pingState(r[w.ping-pingJob+1]-1)
	}
	for job := uint8(1); job <= maxJobs; job++ {
		to.jobs[r[job]], to.spool[r[job]] = w.jobs[job], w.spool[job]
	}
	to.ran, to.observer.started = r.bits(w.ran), r.bits(w.observer.started)
	return &to
}

// renamed returns the number of a situation with other names for the jobs.
func (m *situations) renamed(number uint32, by int, r *renaming) uint32 {
	for len(m.others) <= by {
		m.others = append(m.others, nil)
	}
	for len(m.others[by]) <= int(number) {
		m.others[by] = append(m.others[by], 0)
	}
	if known := m.others[by][number]; known != 0 {
		return known - 1
	}
	s := m.all[number]
	s.job = r[s.job]
	for i, job := range s.mailbox[:s.waiting] {
		s.mailbox[i] = r[job]
	}
	s.seen = r.bits(s.seen)
	n := m.number(s)
	m.others[by][number] = n + 1
	return n
}

// symmetric reports whether the jobs of a worker differ in names only.
func symmetric(c fsm.Config) bool { return c.Mode != fsm.Acquire }
