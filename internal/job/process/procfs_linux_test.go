package process

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// stat returns the line of a process in /proc/PID/stat, with some fields.
func stat(state string, flags uint64, environEnd string) string {
	fields := make([]string, 52)
	for i := range fields {
		fields[i] = "7"
	}
	fields[1], fields[2], fields[8], fields[50] = "(a ) 0 b)", state, fmt.Sprint(flags), environEnd
	return strings.Join(fields, " ") + "\n"
}

// TestMarkOfAProcessThatStarts reads the mark of a process that is starting its program:
// it has no environment for a moment.
func TestMarkOfAProcessThatStarts(t *testing.T) {
	t.Parallel()
	const user, kernel = 0x400000, 0x200000
	environ := []byte("A=1\x00" + MarkVariable + "=m1\x00")
	for _, tt := range []struct {
		name   string
		empty  time.Duration // how long its environment is empty
		stat   string        // meanwhile
		want   string
		within time.Duration
	}{
		{"a program that runs", 0, stat("S", user, "99"), "m1", 0},
		{"it starts", 40 * time.Millisecond, stat("R", user, "0"), "m1", 50 * time.Millisecond},
		{"it does not go on", time.Hour, stat("D", user, "0"), "", execWait + time.Millisecond},
		{"an environment that was cleared", time.Hour, stat("S", user, "99"), "", 0},
		{"it has ended", time.Hour, stat("Z", user, "0"), "", 0},
		{"a thread of the kernel", time.Hour, stat("S", kernel, "0"), "", 0},
		{"another kernel", time.Hour, "1 (a) S 1", "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				got := markWithin(execWait, func() ([]byte, error) {
					if time.Since(begin) < tt.empty {
						return nil, nil
					}
					return environ, nil
				}, func() ([]byte, error) { return []byte(tt.stat), nil })
				if took := time.Since(begin); got != tt.want || took > tt.within {
					t.Errorf("%q after %v, want %q within %v", got, took, tt.want, tt.within)
				}
			})
		})
	}
	// The fields are those of this kernel.
	line, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Skip(err)
	}
	if startsProgram(string(line)) {
		t.Errorf("this process starts its program: %s", line)
	}
}
