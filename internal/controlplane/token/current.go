package token

import "sync/atomic"

// Current is the hash of a token that may be replaced while it is in use. The zero
// value matches no token. Its methods may be called concurrently.
type Current struct{ hash atomic.Pointer[Hash] }

// Replace makes h the hash. A token that had the one before is refused from now on.
func (c *Current) Replace(h Hash) { c.hash.Store(&h) }

// Hash returns the hash.
func (c *Current) Hash() Hash {
	if h := c.hash.Load(); h != nil {
		return *h
	}
	return Hash{}
}

// Matches reports, in constant time, whether token has the hash.
func (c *Current) Matches(token string) bool { return c.Hash().Matches(token) }
