package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// groupWriter is the bare comparison for durable throughput: it appends records to a
// file, and syncs once for all that were appended since the last sync.
type groupWriter struct {
	file  *os.File
	delay time.Duration // after each sync, as on a slower disk

	mu      sync.Mutex
	cond    *sync.Cond
	written uint64 // how many records were appended
	synced  uint64 // how many of them are on disk
	syncs   int
	syncing bool
	err     error
}

// append appends a record and returns when it is on disk.
func (g *groupWriter) append(data []byte) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := g.file.Write(data); err != nil {
		return fmt.Errorf("appending a record: %w", err)
	}
	g.written++
	mine := g.written
	for g.synced < mine && g.err == nil {
		if g.syncing {
			g.cond.Wait()
			continue
		}
		g.syncing = true
		upTo := g.written
		g.mu.Unlock()
		err := g.file.Sync()
		<-time.After(g.delay)
		g.mu.Lock()
		g.syncing, g.synced, g.err = false, upTo, err
		g.syncs++
		g.cond.Broadcast()
	}
	return g.err
}

// bareGroupCommit returns how many jobs a second the bare writer stores, with so many
// writers at a time and so many records of a job, each of which waits for the
// previous one.
func bareGroupCommit(dir string, writers, records, jobs int, delay time.Duration) (rate float64, err error) {
	file, err := os.Create(filepath.Join(dir, "group"))
	if err != nil {
		return 0, fmt.Errorf("measuring the disk: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	g := &groupWriter{file: file, delay: delay}
	g.cond = sync.NewCond(&g.mu)
	todo := make(chan struct{}, jobs)
	for range jobs {
		todo <- struct{}{}
	}
	close(todo)
	var all sync.WaitGroup
	errs := make(chan error, writers)
	began := time.Now()
	for range writers {
		all.Go(func() {
			data := make([]byte, recordSize)
			for range todo {
				for range records {
					if err := g.append(data); err != nil {
						errs <- err
						return
					}
				}
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	select {
	case err := <-errs:
		return 0, err
	default:
		return float64(jobs) / took.Seconds(), nil
	}
}
