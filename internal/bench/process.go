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
	// restTime is how long a new agent is idle before the next step.
	restTime = 300 * time.Millisecond

	fewWorkers, manyWorkers = 1, 200
	megabyte                = 1 << 20
	fewReach, manyReach     = 20 * megabyte, 30 * megabyte
	cpuReach                = 50 * time.Millisecond
	sizeReach               = 35_000_000
	decimalMegabyte         = 1e6
)

// measureStart starts agents, one after the other, and ends each when it is idle.
func measureStart(ctx context.Context, l *lab) (results []result, err error) {
	b, err := l.newTestbed(ctx, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
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
	start, leave := quantile(up, median), quantile(down, median)
	return []result{{
		key: wordStart, value: milliseconds(start) + " ms", samples: len(up), outcome: outcomeOf(true, start <= startReach),
		notes: []string{"the first attempt is made at a random moment within 10 ms; " + spread(up, maximum)},
	}, {
		key: keyLeave, value: milliseconds(leave) + " ms", samples: len(down), outcome: outcomeOf(true, leave <= leaveReach),
		notes: []string{"includes the disconnect call, which the control plane stores; " + spread(down, maximum)},
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
		outcome: outcomeOf(true, few <= fewReach && many <= manyReach),
		notes:   []string{fmt.Sprintf("after %v", l.plan.settle)},
	}, {
		key: keyCPU, value: fmt.Sprintf("%s ms in %v", milliseconds(cpu), l.plan.idle), samples: 1,
		outcome: outcomeOf(l.plan.idle == designIdle, cpu <= cpuReach),
	}}, nil
}

// idle runs an agent without work. It returns its memory in bytes and the CPU time
// that it used in the given time, which may be zero.
func (l *lab) idle(ctx context.Context, workers int, duration time.Duration) (memory int64, cpu time.Duration, err error) {
	b, err := l.newTestbed(ctx, true)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	a, _, err := b.join(ctx, l.binary, "", workers)
	if err != nil {
		return 0, 0, err
	}
	if err := pause(ctx, l.plan.settle); err != nil {
		return 0, 0, err
	}
	if memory, err = residentMemory(a.cmd.Process.Pid); err != nil || duration == 0 {
		return memory, 0, err
	}
	used, err := cpuIn(ctx, a.cmd.Process.Pid, duration)
	return memory, used, err
}

// measureSize measures the size of the program.
func measureSize(_ context.Context, l *lab) ([]result, error) {
	info, err := os.Stat(l.binary)
	if err != nil {
		return nil, fmt.Errorf("reading the size of the program: %w", err)
	}
	return []result{{
		key: keySize, value: fmt.Sprintf("%.1f MB", float64(info.Size())/decimalMegabyte), samples: 1,
		outcome: outcomeOf(true, info.Size() <= sizeReach),
	}}, nil
}
