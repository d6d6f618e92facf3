// Package stack grows the stack of a goroutine at once, for requests that need a large one.
//
// A stack begins with 2 KiB. Each time that it is full, the runtime allocates one of twice
// the size and copies it, with every frame on it. A request that changes a job needs between
// 16 and 32 KiB; the copies were a twentieth of the CPU time that a job takes. Package
// dispatch tests that such requests need that much, and no more.
package stack

// frame is the size of the frame of Grow, in bytes: the next size of a stack that has room
// for it is 32 KiB.
const frame = 24 << 10

// Grow grows the stack of the calling goroutine to 32 KiB. It is meant for goroutines that
// end soon: the stack stays as large until a garbage collection finds it mostly unused.
//
//go:noinline
func Grow() {
	if used { // never; but on a call the runtime makes room for the whole frame
		var space [frame]byte
		use(&space)
	}
}

// used is always false. It is a variable of the package so that the compiler cannot know
// that, and remove the frame.
var used bool //nolint:gochecknoglobals // see above

// use keeps the compiler from removing space.
//
//go:noinline
func use(space *[frame]byte) { space[0] = 1 }
