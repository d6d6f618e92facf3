//go:build unix

package process

import (
	"os/exec"
	"runtime"
	"testing"
)

// TestPeakMemory runs a program that needs little memory, which Linux cannot tell from that
// of this process, and one that needs more than this process.
func TestPeakMemory(t *testing.T) {
	t.Parallel()
	const much = 320_000_000
	for _, tt := range []struct {
		name, script string
		least        int64 // in bytes
		known        bool  // on Linux
	}{
		{"little", "exit 0", 1, false},
		{"much", "head -c 320000000 /dev/zero | tail -n 1 >/dev/null", much, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", tt.script)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			inherited := inheritedPeakMemory()
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			got := peakMemory(cmd.ProcessState, inherited)
			if unknown := runtime.GOOS == "linux" && !tt.known; (got == 0) != unknown || !unknown && got < tt.least {
				t.Errorf("%d bytes, and %d are those of this process", got, inherited)
			}
		})
	}
}
