package store

import (
	"net/url"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// RedactURLs returns the addresses of a NATS cluster, separated by commas, without
// the users, passwords and tokens in them.
func RedactURLs(addresses string) string {
	elements := strings.Split(addresses, ",")
	for i, element := range elements {
		elements[i] = redactURL(strings.TrimSpace(element))
	}
	return strings.Join(elements, ",")
}

func redactURL(address string) string {
	if !strings.Contains(address, "://") {
		address = "nats://" + address // as the client of NATS has it
	}
	u, err := url.Parse(address)
	if err != nil {
		return wire.Redacted // it cannot be known what is a password in it
	}
	if u.User == nil {
		return u.Scheme + "://" + u.Host
	}
	return u.Scheme + "://" + wire.Redacted + "@" + u.Host
}
