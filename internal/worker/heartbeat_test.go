package worker

import (
	"testing"
	"time"
)

func TestUntilNext(t *testing.T) {
	t.Parallel()
	const interval = 10 * time.Second
	moment := time.Now()
	for _, tt := range []struct{ now, want time.Duration }{
		{0, interval},
		{time.Millisecond, interval - time.Millisecond},
		{9 * time.Second, time.Second},
		{interval, interval},
		{1000*interval + 3*time.Second, 7 * time.Second},
		{-time.Second, time.Second},
		{-interval - time.Second, time.Second},
		{-interval, interval},
	} {
		if got := untilNext(moment.Add(tt.now), moment, interval); got != tt.want {
			t.Errorf("%v after the moment: %v, want %v", tt.now, got, tt.want)
		}
	}
}
