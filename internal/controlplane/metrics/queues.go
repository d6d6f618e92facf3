package metrics

import "sync"

const (
	// MaxQueues is how many queues have their own value of the label queue.
	MaxQueues = 100
	// OtherQueues is the value for all others. It is not the name of a queue.
	OtherQueues = "(other)"
)

// queues are the names that have their own value of the label queue: the first ones of
// this process. Its methods may be called concurrently.
type queues struct {
	mu    sync.Mutex
	known map[string]struct{}
}

// label returns the value of the label for a queue.
func (q *queues) label(name string) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, known := q.known[name]; known {
		return name
	}
	if len(q.known) >= MaxQueues {
		return OtherQueues
	}
	q.known[name] = struct{}{}
	return name
}
