//go:build unix

package process

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemory returns the most memory, in bytes, of the largest process among a program
// and those of its processes that were reaped, or 0 if it is not known: not more than
// inherited, which inheritedPeakMemory returned after the start.
func peakMemory(state *os.ProcessState, inherited int64) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	peak := maxResident(usage)
	if peak <= inherited {
		return 0
	}
	return peak
}

// inheritedPeakMemory returns the most that the peak of a program that this process has just
// started can be at its beginning, in bytes: on Linux a program shares the memory of this
// process until it is executed, and the system counts that as the program's.
func inheritedPeakMemory() int64 {
	var usage syscall.Rusage
	if runtime.GOOS != "linux" || syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	const inexact = 1 << 20 // the system counts for each processor, and adds that up later
	return maxResident(&usage) + inexact
}

// maxResident returns the peak in a usage in bytes.
func maxResident(usage *syscall.Rusage) int64 {
	const kibibyte = 1 << 10
	peak := int64(usage.Maxrss) //nolint:unconvert // its size depends on the system
	if runtime.GOOS != "darwin" && runtime.GOOS != "ios" {
		peak *= kibibyte
	}
	return peak
}
