package record

import (
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// AccessToken is the stored record of a named token of people, programs or agents.
// It is a value; Queues is never changed in place.
type AccessToken struct {
	// ID is a UUIDv7. The token's text contains it.
	ID   string `json:"id"`
	Name string `json:"name"`
	// Scope is what the token may do, and Queues limit it; see package access.
	Scope  string   `json:"scope"`
	Queues []string `json:"queues,omitempty"`
	// Hash is the SHA-256 hash of the token.
	Hash token.Hash `json:"hash"`
	// CreatedBy and RevokedBy are the names of the tokens that did it.
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
	// ExpiresAt is when the token ends by itself; zero is never.
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
	LastUsedAt time.Time `json:"last_used_at,omitzero"`
	RevokedAt  time.Time `json:"revoked_at,omitzero"`
	RevokedBy  string    `json:"revoked_by,omitempty"`

	// Revision is the sequence of the stored message, which a change expects to
	// replace. 0 is a record that is not stored yet.
	Revision uint64 `json:"-"`
}
