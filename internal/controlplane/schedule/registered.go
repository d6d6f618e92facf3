package schedule

import "slices"

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
