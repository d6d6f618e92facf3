package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

const (
	startReach = 100 * time.Millisecond
	leaveReach = 4 * time.Millisecond
	// restTime is how long a new agent idles before it is told to leave.
	restTime = 300 * time.Millisecond

	fewWorkers, manyWorkers = 1, 200
	megabyte                = 1 << 20
	fewReach, manyReach     = 20 * megabyte, 30 * megabyte
	cpuReach                = 50 * time.Millisecond
	sizeReach               = 35_000_000
	decimalMegabyte         = 1e6
)

// measureStart starts agents, one after the other, and tells each to leave when
// it is idle.
func measureStart(ctx context.Context, l *lab) (results []result, err error) {
	b, err := l.makeBed(ctx, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.clear()) }()
	var up, down []time.Duration
	for range l.plan.starts {
		a, first, err := b.join(ctx, l.binary, "", 1)
		if err != nil {
			return nil, err
		}
		for _, at := range first {
			up = append(up, at.Sub(a.started))
		}
		if err := pause(ctx, restTime); err != nil {
			return nil, err
		}
		took, err := a.leave()
		if err != nil {
			return nil, err
		}
		down = append(down, took)
	}
	start, leave := quantile(up, half), quantile(down, half)
	return []result{{
		key: keyStart, value: milliseconds(start) + " ms", samples: len(up), verdict: decide(true, start <= startReach),
		notes: []string{"the first attempt falls at random into 100 ms; max " + milliseconds(quantile(up, everything)) + " ms"},
	}, {
		key: keyLeave, value: milliseconds(leave) + " ms", samples: len(down), verdict: decide(true, leave <= leaveReach),
		notes: []string{"with its goodbye to the control plane, which stores it; max " + milliseconds(quantile(down, everything)) + " ms"},
	}}, nil
}

// measureIdle reads the memory of idle agents, and the CPU of the larger one.
func measureIdle(ctx context.Context, l *lab) ([]result, error) {
	few, _, err := l.idle(ctx, fewWorkers, 0)
	if err != nil {
		return nil, err
	}
	many, cpu, err := l.idle(ctx, manyWorkers, l.plan.idle)
	if err != nil {
		return nil, err
	}
	return []result{{
		key: keyMemory, value: fmt.Sprintf("%.1f / %.1f MB", float64(few)/megabyte, float64(many)/megabyte), samples: 2,
		verdict: decide(true, few <= fewReach && many <= manyReach),
		notes:   []string{fmt.Sprintf("after %v", l.plan.settle)},
	}, {
		key: keyCPU, value: fmt.Sprintf("%s ms in %v", milliseconds(cpu), l.plan.idle), samples: 1,
		verdict: decide(l.plan.idle == designIdle, cpu <= cpuReach),
	}}, nil
}

// idle runs an agent without work, and answers with its memory in bytes and the
// CPU that it used in a time.
func (l *lab) idle(ctx context.Context, workers int, watched time.Duration) (memory int64, cpu time.Duration, err error) {
	b, err := l.makeBed(ctx, true)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, b.clear()) }()
	a, _, err := b.join(ctx, l.binary, "", workers)
	if err != nil {
		return 0, 0, err
	}
	if err := pause(ctx, l.plan.settle); err != nil {
		return 0, 0, err
	}
	if memory, err = residentMemory(a.cmd.Process.Pid); err != nil || watched == 0 {
		return memory, 0, err
	}
	before, err := cpuTime(a.cmd.Process.Pid)
	if err != nil {
		return 0, 0, err
	}
	if err := pause(ctx, watched); err != nil {
		return 0, 0, err
	}
	after, err := cpuTime(a.cmd.Process.Pid)
	return memory, after - before, err
}

// measureSize looks at the program.
func measureSize(_ context.Context, l *lab) ([]result, error) {
	info, err := os.Stat(l.binary)
	if err != nil {
		return nil, fmt.Errorf("looking at the program: %w", err)
	}
	return []result{{
		key: keySize, value: fmt.Sprintf("%.1f MB", float64(info.Size())/decimalMegabyte), samples: 1,
		verdict: decide(true, info.Size() <= sizeReach),
	}}, nil
}
