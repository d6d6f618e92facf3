package worldtest

import "github.com/switchyard-ci/switchyard/internal/promises"

// The model to which a history is compared, and what is in a history.
type (
	request  = promises.Request
	response = promises.Response
)

const (
	ok      = promises.OK
	refused = promises.Refused
	unknown = promises.Unknown
)
