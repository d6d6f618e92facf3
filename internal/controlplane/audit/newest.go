package audit

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// firstBlock is how many positions of the log are read forward at first, to go backward by
// as many. A block without a message doubles the next one: what was discarded leaves gaps.
const firstBlock = 64

// ListNewest is List in the opposite order, the newest first; since is the time of the last
// event. An event that is stored between two pages is on neither.
func ListNewest(ctx context.Context, stored Reader, since time.Time, size int, token string) ([]Event, string, error) {
	size, err := sizeOf(size)
	if err != nil {
		return nil, "", err
	}
	first, last, err := stored.AuditEnds(ctx)
	if err != nil {
		return nil, "", err //nolint:wrapcheck // the store's errors say what was attempted
	}
	at := cursor{last, math.MaxInt}
	if token != "" {
		if at, err = parse(token); err != nil {
			return nil, "", err
		}
	}
	var events []Event
	for end, block := min(at.position, last)+1, uint64(firstBlock); end > first; {
		begin := max(first, end-min(end, block))
		messages, err := between(ctx, stored, begin, end)
		if err != nil {
			return nil, "", err
		}
		for i := len(messages) - 1; i >= 0; i-- {
			msg := messages[i]
			if msg.StoredAt.Before(since) { // and so is every event of it, and of those before
				return events, "", nil
			}
			list := decode(msg.Data)
			for j := len(list) - 1; j >= 0; j-- {
				if msg.Position == at.position && j > at.index || list[j].At.Before(since) {
					continue
				}
				if len(events) == size {
					return events, cursor{msg.Position, j}.String(), nil
				}
				events = append(events, list[j])
			}
		}
		if end = begin; len(messages) == 0 {
			block *= 2
		} else {
			block = firstBlock
		}
	}
	return events, "", nil
}

// between returns the messages from a position on, and before another one.
func between(ctx context.Context, stored Reader, begin, end uint64) (messages []store.AuditMessage, err error) {
	for position := begin; position < end; {
		msg, err := stored.AuditAt(ctx, position)
		switch {
		case errors.Is(err, record.ErrNotFound):
			return messages, nil
		case err != nil:
			return nil, err //nolint:wrapcheck // the store's errors say what was attempted
		case msg.Position >= end:
			return messages, nil
		}
		messages = append(messages, msg)
		position = msg.Position + 1
	}
	return messages, nil
}
