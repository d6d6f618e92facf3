package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// errEmpty is the error of an empty text, as "$UNSET" is in a script.
var errEmpty = errors.New("must not be empty")

func notEmpty(s string) (string, error) {
	if s == "" {
		return "", errEmpty
	}
	return s, nil
}

func text(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", errors.New("must be UTF-8")
	}
	return notEmpty(s)
}

// Boolean parses true or false, in the forms of strconv.ParseBool.
func Boolean(s string) (bool, error) {
	b, err := strconv.ParseBool(s)
	if err != nil {
		return false, errors.New("must be true or false")
	}
	return b, nil
}

// OneOf returns a function that accepts the words and no other text.
func OneOf(words ...string) func(string) (string, error) {
	return func(s string) (string, error) {
		if !slices.Contains(words, s) {
			return "", errors.New("must be " + choice(words))
		}
		return s, nil
	}
}

// choice returns words as people list them: a, b or c.
func choice(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// Each returns a function that parses a list with one element.
func Each[T any](parse func(string) (T, error)) func(string) ([]T, error) {
	return func(s string) ([]T, error) {
		item, err := parse(s)
		return []T{item}, err
	}
}

// AnyText accepts every text.
func AnyText(s string) (string, error) { return s, nil }

// Number returns a function that parses a whole decimal number from low to high: 010 is
// ten, as people read it.
func Number[T int | int32 | uint8 | uint64](low, high T) func(string) (T, error) {
	return func(s string) (T, error) {
		n, err := strconv.ParseInt(s, 10, 64)
		switch fits := n >= 0 && uint64(T(n)) == uint64(n) || n < 0 && int64(T(n)) == n; {
		case err == nil && low == 0 && n < 0:
			return 0, errors.New("must not be negative")
		case err != nil || !fits || T(n) < low || T(n) > high:
			return 0, fmt.Errorf("must be a whole number from %d to %d", low, high)
		}
		return T(n), nil
	}
}

// Mebibyte is 1 MiB, in bytes.
const Mebibyte = 1 << 20

// Mebibytes returns a function that parses a number of MiB, from 1 to most, to bytes.
func Mebibytes(most int) func(string) (int64, error) {
	return func(text string) (int64, error) {
		n, err := Number(1, most)(text)
		return int64(n) * Mebibyte, err
	}
}

// Not parses the opposite of a bool.
func Not(text string) (bool, error) {
	on, err := Boolean(text)
	return !on, err
}

// Decimal returns a function that parses a decimal number with a fraction, from least to
// most.
func Decimal(least, most float64) func(string) (float64, error) {
	return func(text string) (float64, error) {
		n, err := strconv.ParseFloat(text, 64)
		hexadecimal := strings.ContainsAny(text, "xX")
		if err != nil || hexadecimal || !(n >= least && n <= most) { // false for NaN
			return 0, fmt.Errorf("must be a number from %v to %v", least, most)
		}
		return n, nil
	}
}

// Positive parses a duration of more than 0.
func Positive(s string) (time.Duration, error) {
	d, err := duration(s)
	if err == nil && d <= 0 {
		err = errors.New("must be more than 0")
	}
	return d, err
}

// NotNegative parses a duration of 0 or more.
func NotNegative(s string) (time.Duration, error) {
	d, err := duration(s)
	if err == nil && d < 0 {
		err = errors.New("must not be negative")
	}
	return d, err
}

func duration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err == nil {
		return d, nil
	}
	if _, bad := strconv.ParseFloat(s, 64); bad == nil {
		return 0, fmt.Errorf("must have a unit, as in %ss", s)
	}
	return 0, errors.New("must be a duration such as 90s or 1h30m")
}

// MomentForms is the end of the help of a flag that Moment parses.
const MomentForms = ", a moment such as 2026-01-31, 2026-01-31T18:00 or 2026-01-31T18:00:00Z, or a duration ago such as 2h"

// Moment parses a moment: a date, with a time of day or without, or a duration before
// now. A date without a zone is in the local one.
func Moment(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil {
		if d < 0 {
			return time.Time{}, errors.New("must not be negative")
		}
		return now.Add(-d), nil
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if at, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return at, nil
		}
	}
	return time.Time{}, errors.New("must be a moment such as 2026-01-31 or 2026-01-31T18:00:00Z, or a duration ago such as 2h")
}
