package transport

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter bounds how long an answer can put off the next try, so that a
// mistyped header does not silence an agent for good.
const maxRetryAfter = time.Hour

// retryAfterOf is what an answer's headers ask for. A date is held against the
// clock that it was read from, which the answer's own Date header shows: the
// clock of this machine may be wrong, or be set at any moment.
func retryAfterOf(header http.Header) time.Duration {
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return parseRetryAfter(header.Get(headerRetryAfter), now)
}

// parseRetryAfter reads a Retry-After header: seconds, with a fraction if
// need be, or an HTTP date (RFC 9110, section 10.2.3). What is missing, in the
// past or unreadable is zero; what is beyond maxRetryAfter is cut to it.
func parseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		return retryAfterSeconds(seconds)
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(date.Sub(now), 0), maxRetryAfter)
}

func retryAfterSeconds(seconds float64) time.Duration {
	if math.IsNaN(seconds) || seconds <= 0 {
		return 0
	}
	if seconds >= maxRetryAfter.Seconds() {
		return maxRetryAfter
	}
	return time.Duration(seconds * float64(time.Second))
}
