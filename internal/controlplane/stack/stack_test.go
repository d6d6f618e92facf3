package stack

import (
	"testing"
	"unsafe"
)

// A stack that has grown is not copied when it is used.
func TestAStackThatHasGrownIsNotCopied(t *testing.T) {
	for name, row := range map[string]struct {
		grow   func()
		copied bool
	}{
		"as it begins": {func() {}, true},
		"grown":        {Grow, false},
	} {
		t.Run(name, func(t *testing.T) {
			copied := make(chan bool)
			go func() {
				row.grow()
				var here byte
				before := uintptr(unsafe.Pointer(&here))
				deep()
				copied <- uintptr(unsafe.Pointer(&here)) != before
			}()
			if got := <-copied; got != row.copied {
				t.Errorf("copied: %t, want %t", got, row.copied)
			}
		})
	}
}

// deep takes most of what Grow provides.
//
//go:noinline
func deep() {
	var space [frame * 3 / 4]byte
	touch(&space)
}

//go:noinline
func touch(space *[frame * 3 / 4]byte) { space[0] = 1 }
