package audit

import (
	"context"
	"errors"
	"math"
	"slices"
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
	page := newest{at: at, since: since, size: size}
	for end, block := min(at.position, last)+1, uint64(firstBlock); end > first; {
		begin := max(first, end-min(end, block))
		messages, err := between(ctx, stored, begin, end)
		if err != nil {
			return nil, "", err
		}
		for _, msg := range slices.Backward(messages) {
			if !page.add(msg) {
				return page.events, page.next, nil
			}
		}
		if end = begin; len(messages) == 0 {
			block *= 2
		} else {
			block = firstBlock
		}
	}
	return page.events, "", nil
}

// newest is a page of ListNewest that is being filled.
type newest struct {
	at     cursor // the first event
	since  time.Time
	size   int
	events []Event
	next   string // the token of the next page
}

// add adds the events of a message, the last one first. It returns false at the end of the
// page.
func (p *newest) add(msg store.AuditMessage) bool {
	if msg.StoredAt.Before(p.since) { // and so is every event of it, and of those before
		return false
	}
	for i, event := range slices.Backward(decode(msg.Data)) {
		if msg.Position == p.at.position && i > p.at.index || event.At.Before(p.since) {
			continue
		}
		if len(p.events) == p.size {
			p.next = cursor{msg.Position, i}.String()
			return false
		}
		p.events = append(p.events, event)
	}
	return true
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
