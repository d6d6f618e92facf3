package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/switchyard-ci/switchyard/internal/datadir"
)

// profileSeconds is how long a CPU profile is recorded. What is idle has no part in it, so
// that a run may end earlier.
const profileSeconds = 30

// profileMeanwhile calls run, and meanwhile records a CPU profile of the control plane to a
// file, whose directory is made if it does not exist. An empty file name records none.
func (s *serverProcess) profileMeanwhile(ctx context.Context, file string, run func() error) error {
	if file == "" {
		return run()
	}
	recorded := make(chan error, 1)
	go func() { recorded <- s.profile(ctx, file) }()
	return errors.Join(run(), <-recorded)
}

// profile records a CPU profile of the control plane to a file.
func (s *serverProcess) profile(ctx context.Context, file string) error {
	token, err := s.token(datadir.AdminTokenFile)
	if err != nil {
		return err
	}
	target := s.url + "/debug/pprof/profile?seconds=" + strconv.Itoa(profileSeconds)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, http.NoBody)
	if err != nil {
		return fmt.Errorf("asking for a profile: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	caller := &http.Client{Timeout: 2 * profileSeconds * time.Second}
	defer caller.CloseIdleConnections()
	res, err := caller.Do(req)
	if err != nil {
		return fmt.Errorf("asking for a profile: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	content, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("reading a profile: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("asking for a profile: %s: %s", res.Status, content)
	}
	if err := os.MkdirAll(filepath.Dir(file), privateDir); err != nil {
		return fmt.Errorf("making the directory of the profiles: %w", err)
	}
	if err := os.WriteFile(file, content, privateMode); err != nil {
		return fmt.Errorf("writing a profile: %w", err)
	}
	return nil
}
