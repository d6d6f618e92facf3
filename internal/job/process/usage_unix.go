//go:build unix

package process

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemory returns the most memory, in bytes, of the largest process among a program
// and those of its processes that were reaped.
func peakMemory(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	const kibibyte = 1 << 10
	peak := int64(usage.Maxrss) //nolint:unconvert // its size depends on the system
	if runtime.GOOS != "darwin" && runtime.GOOS != "ios" {
		peak *= kibibyte
	}
	return peak
}
