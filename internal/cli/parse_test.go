package cli

import (
	"testing"
	"time"
)

func TestMoment(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("local", 2*60*60)
	now := time.Date(2026, 1, 31, 18, 0, 0, 0, zone)
	for text, want := range map[string]time.Time{
		"2h":                        now.Add(-2 * time.Hour),
		"0s":                        now,
		"2026-01-30":                time.Date(2026, 1, 30, 0, 0, 0, 0, zone),
		"2026-01-30T07:05":          time.Date(2026, 1, 30, 7, 5, 0, 0, zone),
		"2026-01-30T07:05:09":       time.Date(2026, 1, 30, 7, 5, 9, 0, zone),
		"2026-01-30T07:05:09Z":      time.Date(2026, 1, 30, 7, 5, 9, 0, time.UTC),
		"2026-01-30T07:05:09-05:00": time.Date(2026, 1, 30, 12, 5, 9, 0, time.UTC),
	} {
		if got, err := Moment(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "yesterday", "-2h", "2", "2026-13-01", "18:00"} {
		if got, err := Moment(text, now); err == nil {
			t.Errorf("%q is %v, want an error", text, got)
		}
	}
}
