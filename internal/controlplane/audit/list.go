package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// The size of a page of events.
const (
	DefaultPageSize = 100
	MaxPageSize     = 1000
)

// Reader is the stored log.
type Reader interface {
	AuditAt(ctx context.Context, position uint64) (store.AuditMessage, error)
	AuditSince(ctx context.Context, since time.Time) (uint64, error)
	AuditEnds(ctx context.Context) (first, last uint64, err error)
}

// List returns the events of a page, the oldest first, and the token of the next
// page, which is empty on the last one. since is the time of the first event; zero is
// the beginning. size 0 is DefaultPageSize. record.ErrInvalid; store.ErrUnavailable.
func List(ctx context.Context, stored Reader, since time.Time, size int, token string) ([]Event, string, error) {
	size, err := sizeOf(size)
	if err != nil {
		return nil, "", err
	}
	at, err := place(ctx, stored, since, token)
	if err != nil {
		return nil, "", err
	}
	var events []Event
	for {
		msg, err := stored.AuditAt(ctx, at.position)
		switch {
		case errors.Is(err, record.ErrNotFound):
			return events, "", nil
		case err != nil:
			return nil, "", err //nolint:wrapcheck // the store's errors say what was attempted
		}
		if msg.Position != at.position {
			at = cursor{position: msg.Position} // the one before was discarded
		}
		for i, event := range decode(msg.Data) {
			if i < at.index || event.At.Before(since) {
				continue
			}
			if len(events) == size {
				return events, cursor{at.position, i}.String(), nil
			}
			events = append(events, event)
		}
		at = cursor{position: at.position + 1}
	}
}

// sizeOf returns the size of a page.
func sizeOf(size int) (int, error) {
	if size < 0 || size > MaxPageSize {
		return 0, record.Invalid("page_size", "must be 0 to %d", MaxPageSize)
	}
	return cmp.Or(size, DefaultPageSize), nil
}

// decode returns the events of a message; none of one that is damaged, or that was
// written to find out whether the store can be written.
func decode(data []byte) (events []Event) {
	if json.Unmarshal(data, &events) != nil {
		return nil
	}
	return events
}

// cursor is the place of an event: the position of its message, and its index there.
type cursor struct {
	position uint64
	index    int
}

func (c cursor) String() string { return fmt.Sprintf("%d.%d", c.position, c.index) }

// place returns where a page begins.
func place(ctx context.Context, stored Reader, since time.Time, token string) (cursor, error) {
	if token == "" {
		if since.IsZero() {
			return cursor{}, nil
		}
		// A message is stored after its events, so no event is missed.
		position, err := stored.AuditSince(ctx, since)
		return cursor{position: position}, err //nolint:wrapcheck // the store's errors say what was attempted
	}
	return parse(token)
}

// parse returns the cursor of a token.
func parse(token string) (cursor, error) {
	first, second, _ := strings.Cut(token, ".")
	position, err := strconv.ParseUint(first, 10, 64)
	index, indexErr := strconv.ParseUint(second, 10, 31)
	if err != nil || indexErr != nil {
		return cursor{}, record.Invalid("page_token", "is not a token of a previous page")
	}
	return cursor{position, int(index)}, nil
}
