package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const (
	syncTimes  = 200
	recordSize = 600 // about what a job's record takes
)

// syncTime measures a small write with its sync, where the store is: it stands
// before every answer of the control plane that promises something.
func syncTime(dir string) (took []time.Duration, err error) {
	f, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return nil, fmt.Errorf("measuring the disk: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for range syncTimes {
		began := time.Now()
		if _, err := f.Write(make([]byte, recordSize)); err != nil {
			return nil, fmt.Errorf("measuring the disk: %w", err)
		}
		if err := f.Sync(); err != nil {
			return nil, fmt.Errorf("measuring the disk: %w", err)
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}
