package present

import (
	"strconv"
	"strings"
)

// groupDigits is how many digits of a number stand together.
const groupDigits = 3

// Count returns a number that is not negative with commas, such as 20,000.
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	var b strings.Builder
	for i, digit := range digits {
		if i > 0 && (len(digits)-i)%groupDigits == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(digit)
	}
	return b.String()
}
