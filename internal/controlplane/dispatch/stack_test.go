//go:build !race && amd64

package dispatch

import (
	"runtime/debug"
	"testing"
	"unsafe"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/stack"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// What changes a job needs the stack that stack.Grow makes, of 32 KiB: in half of it, it is
// copied, and in all of it, it is not. Where this test fails, the frames of a change have
// become smaller or larger, and so has what Grow should make. The race detector and other
// architectures have other frames.
func TestStackOfAChange(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would shrink stacks
	p := newPlant(t, Options{})
	workerID := p.register("w")
	for _, row := range []struct {
		name   string
		grow   func()
		copied bool
	}{
		{"half", growToHalf, true},
		{"grown", stack.Grow, false},
	} {
		var grant JobGrant
		id := p.submit(record.Job{})
		for _, call := range []struct {
			name string
			do   func()
		}{
			{"a submission", func() { p.submit(record.Job{Queue: "other"}) }},
			{"a submission with a key", func() { p.submit(record.Job{Queue: "other", IdempotencyKey: row.name}) }},
			{"an assignment", func() { p.pings(workerID, wire.Instruction{Kind: wire.JobAssigned, JobID: id}) }},
			{"an acceptance", func() { grant = p.accept(workerID, id) }},
			{"a start", func() { p.startJob(grant) }},
			{"a finish", func() { must(t, grant.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"})) }},
		} {
			if copied := isCopied(row.grow, call.do); copied != row.copied {
				t.Errorf("%s, stack %s: copied is %t, want %t", call.name, row.name, copied, row.copied)
			}
		}
	}
}

// isCopied reports whether the stack of a goroutine is copied in do, after grow.
func isCopied(grow, do func()) bool {
	copied := make(chan bool, 1)
	go func() {
		defer close(copied) // also when do ends the test
		grow()
		var here byte
		before := uintptr(unsafe.Pointer(&here))
		do()
		copied <- uintptr(unsafe.Pointer(&here)) != before
	}()
	return <-copied
}

// growToHalf grows a stack to 16 KiB.
//
//go:noinline
func growToHalf() {
	var space [10 << 10]byte
	touch(&space)
}

//go:noinline
func touch(space *[10 << 10]byte) { space[0] = 1 }
