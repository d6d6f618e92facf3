//go:build !linux

package workspace

// spares has no directories: only Linux can move one without replacing another.
type spares struct{}

func newSpares(string) *spares { return nil }

func (*spares) moveTo(string) bool { return false }

func (*spares) use(string) {}

func (*spares) forget(string) {}

func (*spares) takeBack(string) bool { return false }

func (*spares) replace() {}

func (*spares) close() {}
