package cli

import (
	"fmt"
	"strconv"
)

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

// Decimal returns a function that parses a number with a fraction, from least to most.
func Decimal(least, most float64) func(string) (float64, error) {
	return func(text string) (float64, error) {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n >= least && n <= most) { // false for NaN
			return 0, fmt.Errorf("must be a number from %v to %v", least, most)
		}
		return n, nil
	}
}
