package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// manyWarm is the share of the jobs after which the agent is looked at for the first
	// time: by then it has opened and allocated what it keeps.
	manyWarm = 10
	// manySettle is how long the agent has no job before it is looked at.
	manySettle = 3 * time.Second
	// manyGrowth is how much the memory of an agent may grow and still be called flat.
	manyGrowth = 4 * megabyte
	// These are bounded, and not left by a job: the empty directories for later jobs, as many
	// as jobs ran at the same time, and the files of the history, which become five.
	spareDirs, historyFile = "spare", "history.jsonl"
)

// remains are what an agent has in use.
type remains struct {
	memory                        int64 // in bytes
	descriptors, processes, files int
}

// measureMany runs many jobs on one agent, and looks at what it has in use after a tenth of
// them and at the end.
func measureMany(ctx context.Context, l *lab) (results []result, err error) {
	var warm, end remains
	count := 0
	_, err = onStage(ctx, ourAgent(l.binary), l.dir, steadyWorkers, func(ctx context.Context, s *stage) error {
		for ; count < l.plan.many; count += len(s.workers) {
			if count >= l.plan.many/manyWarm && warm == (remains{}) {
				if warm, err = s.remains(ctx); err != nil {
					return err
				}
			}
			if _, err := s.runJobs(ctx, s.workers); err != nil {
				return err
			}
		}
		end, err = s.remains(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	left := end.descriptors - warm.descriptors + end.processes - warm.processes + end.files - warm.files
	return []result{{
		key: keyMany, value: fmt.Sprintf("%d left, %+.1f MiB", left, float64(end.memory-warm.memory)/megabyte), samples: count,
		outcome: outcomeOf(l.plan.many >= designMany, left == 0 && end.memory-warm.memory <= manyGrowth),
		notes: []string{fmt.Sprintf("after a tenth of the jobs and at the end: %.1f and %.1f MiB, %d and %d descriptors, "+
			"%d and %d processes, %d and %d files",
			float64(warm.memory)/megabyte, float64(end.memory)/megabyte, warm.descriptors, end.descriptors,
			warm.processes, end.processes, warm.files, end.files)},
	}}, nil
}

// remains returns what the agent of the stage has in use once it has had no job for a
// while.
func (s *stage) remains(ctx context.Context) (r remains, err error) {
	if err := pause(ctx, manySettle); err != nil {
		return r, err
	}
	pid := s.process.cmd.Process.Pid
	if r.memory, err = residentMemory(pid); err != nil {
		return r, err
	}
	descriptors, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return r, fmt.Errorf("reading the descriptors of the agent: %w", err)
	}
	r.descriptors = len(descriptors)
	children, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return r, fmt.Errorf("reading the children of the agent: %w", err)
	}
	for _, file := range children {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		for _, c := range text {
			if c == ' ' { // after each
				r.processes++
			}
		}
	}
	err = filepath.WalkDir(s.dir, func(_ string, entry fs.DirEntry, _ error) error {
		if entry != nil && entry.IsDir() && entry.Name() == spareDirs {
			return filepath.SkipDir
		}
		if entry == nil || !strings.HasPrefix(entry.Name(), historyFile) {
			r.files++
		}
		return nil
	})
	if err != nil {
		return r, fmt.Errorf("counting the files of the agent: %w", err)
	}
	return r, nil
}
