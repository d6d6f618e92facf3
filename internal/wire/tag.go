package wire

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxRequiredTags is how many tags a job can require of its worker.
	MaxRequiredTags = 16
	// MaxRequiredTag is the longest of them, in bytes.
	MaxRequiredTag = 255
	// MaxWorkerTags is how many tags a worker can have.
	MaxWorkerTags = 1000
	// AnyValue is the value of a required tag that a tag with any value fulfills.
	AnyValue = "*"
)

// CheckRequiredTag returns an error if a job cannot require a tag of its worker. A tag is
// "key=value"; with the value AnyValue a worker needs any tag with that key. The queue is
// not a tag to require: a job names it by itself.
func CheckRequiredTag(tag string) error {
	key, value, ok := strings.Cut(tag, "=")
	switch {
	case len(tag) > MaxRequiredTag:
		return fmt.Errorf("has %d bytes, and at most %d are possible", len(tag), MaxRequiredTag)
	case !ok || key == "" || value == "":
		return errors.New("must be key=value, or key=* for any value")
	case strings.HasPrefix(tag, QueueTag):
		return errors.New("names the queue, which a job has by itself")
	case !utf8.ValidString(tag) || strings.ContainsFunc(tag, func(r rune) bool { return !unicode.IsPrint(r) }):
		return errors.New("has a character that cannot be printed")
	case strings.TrimSpace(key) != key || strings.TrimSpace(value) != value:
		return errors.New("has a space at an end of its key or value")
	case strings.Contains(tag, ","):
		return errors.New("has a comma; each tag is given by itself")
	case strings.Contains(key, AnyValue) || strings.Contains(value, AnyValue) && value != AnyValue:
		return errors.New("has a * beside other characters; only key=* is possible, for any value")
	}
	return nil
}

// RequiredTags returns tags that a job requires in their order and each once, so that equal
// requirements are equal lists; nil for none. It fails for too many, and for the first that
// CheckRequiredTag refuses.
func RequiredTags(tags []string) ([]string, error) {
	if len(tags) == 0 {
		return nil, nil
	}
	if len(tags) > MaxRequiredTags {
		return nil, fmt.Errorf("are %d, and at most %d are possible", len(tags), MaxRequiredTags)
	}
	for _, tag := range tags {
		if err := CheckRequiredTag(tag); err != nil {
			return nil, fmt.Errorf("have %.*q, which %w", MaxRequiredTag, tag, err)
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(tags))), nil
}

// HasTags reports whether a worker with tags fulfills each required one: has a tag that is
// equal to it, or, for key=*, a tag with that key.
func HasTags(tags, required []string) bool {
	return !slices.ContainsFunc(required, func(required string) bool { return !slices.ContainsFunc(tags, fulfills(required)) })
}

// fulfills returns the function that reports whether a tag of a worker fulfills a required
// one.
func fulfills(required string) func(tag string) bool {
	key, value, _ := strings.Cut(required, "=")
	return func(tag string) bool {
		if value != AnyValue {
			return tag == required
		}
		k, _, _ := strings.Cut(tag, "=")
		return k == key
	}
}
