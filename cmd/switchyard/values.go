package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// positive accepts a duration that is more than nothing.
func positive(d time.Duration) error {
	if d <= 0 {
		return errors.New("must be more than 0")
	}
	return nil
}

// notNegative accepts what is nothing or more.
func notNegative[T int | int32 | time.Duration](n T) error {
	if n < 0 {
		return errors.New("must not be negative")
	}
	return nil
}

// parseEnv reads NAME=VALUE pairs; of two with one name, the last counts.
func parseEnv(pairs []string) (map[string]string, error) {
	env := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		// The value may be a secret, so only the name is shown.
		switch {
		case ok && name == "":
			return nil, errors.New(`--env has nothing before its "="; it must be NAME=VALUE`)
		case !ok || name == "":
			return nil, fmt.Errorf("--env %q must be NAME=VALUE", name)
		case !utf8.ValidString(name):
			return nil, fmt.Errorf("--env %q: the name is not UTF-8, and cannot be sent", name)
		case !utf8.ValidString(value):
			return nil, fmt.Errorf("--env %q: the value is not UTF-8, and cannot be sent", name)
		}
		env[name] = value
	}
	return env, nil
}

// between accepts the numbers from low to high.
func between(low, high int) func(int) error {
	return func(n int) error {
		if n < low || n > high {
			return fmt.Errorf("must be from %d to %d", low, high)
		}
		return nil
	}
}

// splitAll splits each element of a list at its commas; empty elements are none.
// The result is not nil.
func splitAll(list []string) []string {
	return strings.FieldsFunc(strings.Join(list, ","), func(r rune) bool { return r == ',' })
}
