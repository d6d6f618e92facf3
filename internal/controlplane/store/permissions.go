package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
)

// A NATS server does not respond to a message that its user may not send: it reports that
// beside, and the request goes unanswered. So every permission is tried when the store is
// opened, by messages that change nothing, and no replica serves that lacks one.

// noID is a name that no consumer has.
const noID = "switchyard-none"

// message is a message that tries a permission.
type message struct{ subject, data string }

// trials returns a harmless message for each subject to which a replica publishes, but for
// those that opening the streams has used.
func trials() (list []message) {
	const api, nothing = "$JS.API.", `{"filter":%q}`
	list = append(list,
		message{subject: statePrefix + probeName}, message{subject: dataPrefix + probeName}, message{subject: logPrefix + probeName},
		message{signalSubject, "{}"},
	)
	for _, stream := range []string{stateStream, logStream, dataStream, auditStream} {
		probe := prefixOf(stream) + probeName
		list = append(list,
			message{api + "STREAM.MSG.GET." + stream, fmt.Sprintf(`{"last_by_subj":%q}`, probe)},
			message{subject: api + "DIRECT.GET." + stream + "." + probe},
			message{api + "CONSUMER.CREATE." + stream + "." + noID, "{}"},
			message{api + "CONSUMER.MSG.NEXT." + stream + "." + noID, ""},
			message{api + "CONSUMER.DELETE." + stream + "." + noID, ""},
		)
	}
	return append(list,
		message{api + "DIRECT.GET." + stateStream, fmt.Sprintf(`{"multi_last":[%q]}`, statePrefix+probeName)},
		message{api + "STREAM.MSG.DELETE." + logStream, `{"seq":0}`},
		message{api + "STREAM.PURGE." + stateStream, fmt.Sprintf(nothing, statePrefix+probeName)},
		message{api + "STREAM.PURGE." + logStream, fmt.Sprintf(nothing, logPrefix+probeName)},
	)
}

// checkPermissions returns an error that names every permission that the user of NATS lacks.
func (s *Store) checkPermissions(ctx context.Context) error {
	s.trying.Store(true)
	defer s.trying.Store(false)
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	missing, err := s.try(ctx)
	if err != nil {
		return wrap(ctx, err, "trying the permissions at "+s.address())
	}
	if len(missing) == 0 {
		return nil
	}
	return permanent(fmt.Errorf("the user of NATS at %s may not %s: %s", s.address(), strings.Join(missing, ", "), grantPermissions))
}

// grantPermissions is what to do about missing permissions.
const grantPermissions = `give it the permissions that OPERATING.md lists, below "A cluster"`

// try tries every permission, and returns those that the server refuses.
func (s *Store) try(ctx context.Context) (missing []string, err error) {
	refused := func(kind, verb, subject string, err error) error {
		if err == nil {
			err = s.nc.FlushWithContext(ctx) // the server handles the messages of a connection in order
		}
		last := s.nc.LastError()
		if errors.Is(last, nats.ErrPermissionViolation) && strings.Contains(last.Error(), fmt.Sprintf("%s to %q", kind, subject)) {
			missing = append(missing, fmt.Sprintf("%s to %q", verb, subject))
		}
		return err //nolint:wrapcheck // the caller wraps it
	}
	for _, m := range trials() {
		if err := refused("Publish", "publish", m.subject, s.nc.Publish(m.subject, []byte(m.data))); err != nil {
			return nil, err
		}
	}
	sub, err := s.nc.SubscribeSync(signalSubject)
	if err := refused("Subscription", "subscribe", signalSubject, err); err != nil {
		return nil, err
	}
	_ = sub.Unsubscribe() // it fails only if the server has ended it
	return missing, nil
}
