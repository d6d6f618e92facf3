//go:build unix

package job

import (
	"testing"
	"time"
)

// TestUsage runs commands that take time, memory, both or nothing.
func TestUsage(t *testing.T) {
	t.Parallel()
	const mebibyte = 1 << 20
	for _, tt := range []struct {
		name, script string
		wall, cpu    time.Duration // at least
		memory       int64         // at least
	}{
		{"nothing", "exit 3", time.Microsecond, 0, 0},
		{"a wait", "sleep 0.2", 200 * time.Millisecond, 0, 0},
		{"work of a child", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; (while [ $i -lt 40000 ]; do i=$((i+1)); done)", time.Millisecond, time.Millisecond, 0},
		{"memory of a child", "head -c 320000000 /dev/zero | tail -n 1 | cat >/dev/null", time.Millisecond, time.Microsecond, 300 * mebibyte},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{}
			spec, opts := jobFor(t, tt.script)
			if _, err := Run(t.Context(), spec, cp, opts); err != nil || len(cp.finished) != 1 {
				t.Fatal(err, cp.finished)
			}
			got := cp.finished[0].Usage
			if got.WallMicros < tt.wall.Microseconds() || got.CPUMicros < tt.cpu.Microseconds() || got.PeakMemory < tt.memory || !got.Valid() {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestNoUsage finishes a job whose command never ran: nothing is reported of it.
func TestNoUsage(t *testing.T) {
	t.Parallel()
	cp := &recorder{}
	spec, opts := jobFor(t, " ")
	if _, err := Run(t.Context(), spec, cp, opts); err == nil || len(cp.finished) != 1 || cp.finished[0].Usage.WallMicros != 0 {
		t.Error(err, cp.finished)
	}
}
