package schedule

import "slices"

// Registered returns how many connected workers registered with each token, by its ID.
func (x *Index) Registered() map[string]int {
	counts := map[string]int{}
	for _, w := range x.workers {
		if w.record.State.Connected() {
			counts[w.record.RegisteredWith]++
		}
	}
	return counts
}

// RegisteredWith returns the IDs of the workers that registered with a token and are
// not revoked, sorted.
func (x *Index) RegisteredWith(tokenID string) []string {
	var ids []string
	for id, w := range x.workers {
		if w.record.RegisteredWith == tokenID && !w.record.Revoked {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
