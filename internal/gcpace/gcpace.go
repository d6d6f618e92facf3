// Package gcpace lets a process with much memory that does little hold little garbage.
//
// Go collects garbage when it amounts to a percentage (GOGC, 100) of the memory that is in
// use. A control plane with 20,000 idle streams uses 300 MB, and allocates 3 MB a second:
// it would collect once in two minutes, and hold another 300 MB most of the time. Here the
// percentage follows the rate at which the process allocates, so that it holds about what
// it allocates in a short time, and never more than without this package. More collections
// while little happens cost little CPU time.
package gcpace

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// most is Go's own percentage, and least bounds the share of collections in CPU time: with
	// it a collection takes place after four times fewer allocations than without.
	most  = 100
	least = 25
	// starting is the percentage of a start.
	starting = 50
	// garbage is the time whose allocations are held as garbage.
	garbage = 20 * time.Second
	// interval is the time between two looks, and looks how many of them a fall of the rate
	// must last.
	interval = 2 * time.Second
	looks    = 10
	// small is how many bytes are in use at least before anything changes.
	small = 64 << 20
	// step is the least change of the percentage: a change stops the process for a moment.
	step = 10
)

// Start lets a process that starts hold less garbage: a start may allocate much in a short
// time, most of which is not needed any more afterwards. The returned function ends that, and
// returns to the system what only the start has needed. Start does nothing if the environment
// has a GOGC.
func Start() (started func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(starting)
	return func() {
		debug.SetGCPercent(before)
		debug.FreeOSMemory()
	}
}

// Run sets the percentage of the collector until done is closed, and sets it back then. It
// does nothing if the environment has a GOGC. Only one goroutine of a process may run it.
func Run(done <-chan struct{}) {
	if os.Getenv("GOGC") != "" {
		return
	}
	defer debug.SetGCPercent(debug.SetGCPercent(most))
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	p := pacer{percent: most}
	usage := newUsage()
	p.next(usage.read())
	for {
		select {
		case <-done:
			return
		case <-ticker.C:
		}
		if percent, changed := p.next(usage.read()); changed {
			debug.SetGCPercent(percent)
		}
	}
}

// usage reads what the runtime measures.
type usage []metrics.Sample

func newUsage() usage {
	return usage{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
}

// read returns the bytes allocated since the process began, and those in use: what the
// last collection has left, and the stacks, of which Go takes its percentage, too.
func (u usage) read() (allocated, used uint64) {
	metrics.Read(u)
	return u[0].Value.Uint64(), u[1].Value.Uint64() + u[2].Value.Uint64()
}

// pacer decides on the percentage.
type pacer struct {
	percent   int
	allocated uint64
	last      [looks]uint64 // bytes allocated between looks, the latest in any place
	look      int
}

// next takes what is read once in an interval, and returns the percentage, and whether it
// is another one.
func (p *pacer) next(allocated, used uint64) (percent int, changed bool) {
	if p.look > 0 { // at the first look, it is unknown for how long they were allocated
		p.last[p.look%looks] = allocated - p.allocated
	}
	p.allocated = allocated
	p.look++
	want := most
	if used >= small && p.look > looks {
		highest := uint64(0)
		for _, n := range p.last {
			highest = max(highest, n)
		}
		held := highest * uint64(garbage/interval)
		want = int(min(max(100*held/used, least), most))
	}
	if want == p.percent || want != most && want != least && max(want-p.percent, p.percent-want) < step {
		return p.percent, false
	}
	p.percent = want
	return want, true
}
