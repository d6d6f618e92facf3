// Package stack grows the stacks of goroutines that serve requests.
package stack

// frame is the size of the frame of Grow, in bytes. With it a stack has 32 KiB, which is
// what a request takes that changes a job.
const frame = 24 << 10

// Grow grows the stack of a goroutine at once to what a request takes that changes a job. A
// stack begins with 2 KiB and is copied each time that it is full, the last two times with
// many frames, which was a twentieth of what a job cost. It is not for goroutines that last,
// of which there are thousands.
//
//go:noinline
func Grow() {
	if used { // never: a call reserves the frame before it looks, and does not fill it
		var space [frame]byte
		use(&space)
	}
}

// used is false, which the compiler does not know.
var used bool //nolint:gochecknoglobals // it would know a local one

//go:noinline
func use(space *[frame]byte) { space[0] = 1 }
