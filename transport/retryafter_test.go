package transport

import (
	"net/http"
	"testing"
	"time"
)

var noon = time.Date(2026, 8, 21, 12, 0, 0, 0, time.UTC)

func TestRetryAfter(t *testing.T) {
	rows := []struct {
		value string
		want  time.Duration
	}{
		{"", 0},
		{"0", 0},
		{"7", 7 * time.Second},
		{" 7 ", 7 * time.Second},
		{"0.25", 250 * time.Millisecond},
		{"1e2", 100 * time.Second},
		{"-3", 0},
		{"3600", time.Hour},
		{"999999999999999999999", time.Hour},
		{"+Inf", time.Hour},
		{"NaN", 0},
		{"soon", 0},
		{"7 seconds", 0},
		{"Fri, 21 Aug 2026 12:00:30 GMT", 30 * time.Second},
		{"Fri, 21 Aug 2026 11:59:00 GMT", 0},
		{"Fri, 21 Aug 2027 12:00:00 GMT", time.Hour},
		{"Friday, 21-Aug-26 12:00:30 GMT", 30 * time.Second},
		{"Fri Aug 21 12:00:30 2026", 30 * time.Second},
	}
	for _, row := range rows {
		if got := parseRetryAfter(row.value, noon); got != row.want {
			t.Errorf("%q: got %s, want %s", row.value, got, row.want)
		}
	}
}

// TestRetryAfterOf shows that a date is compared with the clock of the response: this
// machine's may be years off.
func TestRetryAfterOf(t *testing.T) {
	rows := []struct {
		name, date, value string
		want              time.Duration
	}{
		{"seconds", "", "7", 7 * time.Second},
		{"seconds, whatever the clock", "Fri, 21 Aug 1976 12:00:00 GMT", "7", 7 * time.Second},
		{"a date, by the clock of the response", "Sat, 21 Aug 1976 12:00:00 GMT", "Sat, 21 Aug 1976 12:00:30 GMT", 30 * time.Second},
		{"a date in the past, by the clock of the response", "Sat, 21 Aug 1976 12:00:00 GMT", "Sat, 21 Aug 1976 11:59:30 GMT", 0},
		{"a date in the past, by this clock", "", "Sat, 21 Aug 1976 12:00:30 GMT", 0},
		{"a date in the future, with an invalid Date", "now", "Sun, 21 Aug 2976 12:00:30 GMT", time.Hour},
	}
	for _, row := range rows {
		header := http.Header{}
		header.Set("Date", row.date)
		header.Set("Retry-After", row.value)
		if got := retryAfterOf(header); got != row.want {
			t.Errorf("%s: got %s, want %s", row.name, got, row.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"", "7", "0.5", "-1", "1e308", "NaN", "Fri, 21 Aug 2026 12:00:30 GMT", "0x1p-2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if got := parseRetryAfter(value, noon); got < 0 || got > maxRetryAfter {
			t.Errorf("%q: %s", value, got)
		}
	})
}
