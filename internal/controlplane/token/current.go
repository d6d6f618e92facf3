package token

import (
	"slices"
	"sync/atomic"
)

// Current are the hashes of the tokens in use of one kind, which may be replaced while
// they are in use. The zero value matches no token. Its methods may be called
// concurrently.
type Current struct{ hashes atomic.Pointer[[]Hash] }

// Replace makes these the hashes, and reports whether they differ from those before. A
// token without one of them is refused from now on.
func (c *Current) Replace(hashes ...Hash) (changed bool) {
	before := c.hashes.Swap(&hashes)
	return before == nil || !slices.Equal(*before, hashes)
}

// Hashes returns the hashes, the newest first.
func (c *Current) Hashes() []Hash {
	if hashes := c.hashes.Load(); hashes != nil {
		return *hashes
	}
	return nil
}
