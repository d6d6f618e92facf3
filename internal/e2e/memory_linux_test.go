package e2e_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
)

// peakMemory returns the most memory that a process has used, in bytes, and whether
// that is known.
func peakMemory(pid int) (int, bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	found := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		return 0, false
	}
	kib, err := strconv.Atoi(string(found[1]))
	return kib << 10, err == nil
}
