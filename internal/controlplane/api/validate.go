package api

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	maxIDBytes     = 256
	maxReasonBytes = 1 << 10
	// maxTimeout keeps a timeout far from the end of what a Duration can count.
	maxTimeout = 365 * 24 * time.Hour
)

// submissionOf checks what only this side knows of, such as what a program's
// environment can hold; the dispatcher checks the rest.
func submissionOf(req *switchyardv1.SubmitJobRequest) (dispatch.Submission, error) {
	if err := checkCommand(req.GetCommand()); err != nil {
		return dispatch.Submission{}, err
	}
	if err := checkEnv(req.GetEnv()); err != nil {
		return dispatch.Submission{}, err
	}
	timeout, err := timeoutOf(req)
	if err != nil {
		return dispatch.Submission{}, err
	}
	if retries := req.GetRetries(); retries < 0 || retries > dispatch.MaxRetries {
		return dispatch.Submission{}, invalid("retries", "must be from 0 to %d, not %d", dispatch.MaxRetries, retries)
	}
	if n := len(req.GetIdempotencyKey()); n > dispatch.MaxIdempotencyKey {
		return dispatch.Submission{}, invalid("idempotency_key", "must have at most %d bytes, not %d", dispatch.MaxIdempotencyKey, n)
	}
	return dispatch.Submission{
		Command: req.GetCommand(), Env: req.GetEnv(), Queue: req.GetQueue(), Priority: req.GetPriority(),
		Timeout: timeout, IdempotencyKey: req.GetIdempotencyKey(), Retries: int(req.GetRetries()),
	}, nil
}

// checkCommand: the first word is exec'ed by a shell on the worker, and not every
// shell can be kept from taking a dash for an option.
func checkCommand(command []string) error {
	switch {
	case len(command) == 0:
		return invalid("command", "must have at least one element, the program")
	case command[0] == "":
		return invalid("command", "the first element is the program, and must not be empty")
	case strings.HasPrefix(command[0], "-"):
		return invalid("command", "the first element is the program, and must not begin with a dash")
	}
	for _, word := range command {
		if strings.ContainsRune(word, 0) {
			return invalid("command", "must not contain a NUL byte")
		}
	}
	return nil
}

func checkEnv(env map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return invalid("env", "%.100q is not a name of a variable: it must not be empty or contain = or NUL", name)
		}
		if strings.ContainsRune(env[name], 0) {
			return invalid("env", "the value of %.100q must not contain a NUL byte", name)
		}
	}
	return nil
}

func timeoutOf(req *switchyardv1.SubmitJobRequest) (time.Duration, error) {
	if req.GetTimeout() == nil {
		return 0, nil
	}
	timeout := req.GetTimeout().AsDuration()
	if req.GetTimeout().CheckValid() != nil || timeout < 0 || timeout > maxTimeout {
		return 0, invalid("timeout", "must be from 0, which is no limit, to %v", maxTimeout)
	}
	return timeout, nil
}

func checkID(id string) error {
	if id == "" {
		return invalid("id", "must not be empty")
	}
	if len(id) > maxIDBytes {
		return invalid("id", "must have at most %d bytes, not %d", maxIDBytes, len(id))
	}
	return nil
}

func checkReason(reason string) error {
	if len(reason) > maxReasonBytes || !utf8.ValidString(reason) {
		return invalid("reason", "must be text of at most %d bytes, not %d", maxReasonBytes, len(reason))
	}
	return nil
}

func pageOf(size int32, token string) (dispatch.Page, error) {
	if size < 0 || size > dispatch.MaxPageSize {
		return dispatch.Page{}, invalid("page_size", "must be from 0, which is %d, to %d, not %d",
			dispatch.DefaultPageSize, dispatch.MaxPageSize, size)
	}
	if len(token) > math.MaxUint8 {
		return dispatch.Page{}, invalid("page_token", "is not one that this list gave")
	}
	return dispatch.Page{Size: int(size), Token: token}, nil
}
