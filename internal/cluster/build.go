package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// The programs, by their import paths. nats-server has the version of go.mod.
const (
	programPath = "github.com/switchyard-ci/switchyard/cmd/switchyard"
	natsPath    = "github.com/nats-io/nats-server/v2"
)

// Build builds the program into a directory and returns its file.
func Build(ctx context.Context, dir string, args ...string) (string, error) {
	return build(ctx, filepath.Join(dir, "switchyard"), programPath, args...)
}

// BuildNATS builds nats-server into a directory and returns its file.
func BuildNATS(ctx context.Context, dir string) (string, error) {
	return build(ctx, filepath.Join(dir, "nats-server"), natsPath)
}

func build(ctx context.Context, file, path string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-o", file}, args...), path)...) //nolint:gosec // ours
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("building %s: %w", path, err)
	}
	return file, nil
}
