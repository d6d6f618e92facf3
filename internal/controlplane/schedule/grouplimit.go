package schedule

// The different sets of tags that jobs require take memory in every replica, and time where
// they are looked through. Those who submit jobs choose them, so they are bounded.
const (
	// MaxTagSets bounds the memory of the sets that jobs require, in bytes: beyond it those
	// without live jobs are dropped at once.
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

// makeRoom drops groups without jobs if there is no room for one of a size.
func (x *Index) makeRoom(size int) {
	for g := range x.unused {
		if x.groupBytes+size <= MaxTagSets {
			return
		}
		x.dropGroup(g)
	}
}
