package schedule

import "fmt"

// The different sets of tags that jobs require take memory in every replica, and time where
// they are looked through. Those who submit jobs choose them, so they are bounded.
const (
	// MaxTagSets bounds the memory of the sets that live jobs require, in bytes. Those of one
	// queue may take half of it, so that there is room for others.
	MaxTagSets = 128 << 20
	// groupBytes and tagBytes are about what a set and each of its tags take without the
	// text of the tags, in bytes.
	groupBytes, tagBytes = 800, 500
)

// groupSize returns about how many bytes of memory a group takes. What it shares with others
// counts for each.
func groupSize(required []string) int {
	size := groupBytes
	for _, tag := range required {
		size += tagBytes + len(tag)
	}
	return size
}

// TagLimitError refuses a job that requires a set of tags which no live job requires, since
// those that live jobs require use their limit.
type TagLimitError struct {
	// Queue is the queue whose limit is reached; empty for the limit of all queues.
	Queue string
	// Sets is how many sets there are, in the queue or in all.
	Sets int
	// Most is the limit, in bytes.
	Most int
}

// Error returns the limit, its value, and what to do.
func (e *TagLimitError) Error() string {
	where := "all queues"
	if e.Queue != "" {
		where = "queue " + e.Queue
	}
	return fmt.Sprintf("one more set of required tags is not possible: jobs of %s that have not ended require %d different sets, "+
		"which take %d MiB of memory, the limit; require tags that other jobs require, or wait until jobs have ended",
		where, e.Sets, e.Most/mebibyte)
}

const mebibyte = 1 << 20

// CheckTags returns a *TagLimitError if a new job of a queue cannot require tags, which are
// in order and each once.
func (x *Index) CheckTags(queue string, required []string) error {
	if len(required) == 0 {
		return nil
	}
	q, size := x.queues[queue], groupSize(required)
	used, sets := 0, 0
	if q != nil {
		if g := q.groups[groupKey(required)]; g != nil && g.live > 0 {
			return nil
		}
		used, sets = q.usedBytes, q.usedSets
	}
	switch {
	case used+size > x.maxTagSets/2:
		x.tagsRefused++
		return &TagLimitError{Queue: queue, Sets: sets, Most: x.maxTagSets / 2}
	case x.usedBytes+size > x.maxTagSets:
		x.tagsRefused++
		return &TagLimitError{Sets: x.usedSets, Most: x.maxTagSets}
	}
	return nil
}

// makeRoom drops groups without jobs if there is no room for one of a size.
func (x *Index) makeRoom(size int) {
	for g := range x.unused {
		if x.groupBytes+size <= x.maxTagSets {
			return
		}
		x.dropGroup(g)
	}
}
