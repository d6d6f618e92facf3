//go:build unix

package job

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/job/workspace"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestRemoveWorkspace runs scripts in a working directory next to a directory
// "neighbor". The working directory is removed, and nothing else.
func TestRemoveWorkspace(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, script string }{
		{"files and folders", "mkdir -p a/b/c; touch a/b/c/d .hidden"},
		{"read-only folders, like Go's module cache", "mkdir -p a/b; touch a/b/c; chmod 444 a/b/c; chmod 555 a/b a"},
		{"folders that cannot be read", "mkdir -p a/b; touch a/b/c; chmod 000 a/b a"},
		{"its own permissions removed", "touch a; chmod 000 ."},
		{"links out of it", "ln -s ../neighbor out; ln -s ../neighbor/file file; ln -s / root; mkdir ro; chmod 555 ro"},
		{"itself gone", "rmdir \"$PWD\""},
		{"itself a link", "cd ..; rmdir \"$OLDPWD\"; ln -s neighbor \"$OLDPWD\""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{}
			spec, opts := jobFor(t, tt.script)
			neighbor := filepath.Join(opts.BuildPath, "neighbor")
			if err := os.Mkdir(neighbor, 0o500); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(neighbor, 0o700) }) //nolint:gosec // a folder
			result, err := Run(t.Context(), spec, cp, opts)
			if err != nil || result.ExitStatus != "0" {
				log, _ := cp.log()
				t.Fatalf("%+v, %v\n%s", result, err, log)
			}
			left, err := os.ReadDir(opts.BuildPath)
			if err != nil || len(left) != 1 {
				t.Errorf("left behind: %v, %v", left, err)
			}
			if info, err := os.Stat(neighbor); err != nil || info.Mode().Perm() != 0o500 {
				t.Errorf("the neighbor was changed: %v, %v", info, err)
			}
		})
	}
}

// TestCleanup checks which working directories are kept.
func TestCleanup(t *testing.T) {
	t.Parallel()
	tests := []struct {
		policy workspace.Cleanup
		script string
		cancel bool
		kept   int
	}{
		{"", "exit 1", false, 0},
		{workspace.CleanupAlways, "exit 1", false, 0},
		{workspace.CleanupAlways, "true", false, 0},
		{workspace.CleanupOnSuccess, "true", false, 0},
		{workspace.CleanupOnSuccess, "exit 1", false, 1},
		{workspace.CleanupOnSuccess, "kill -KILL $$", false, 1},
		{workspace.CleanupOnSuccess, "trap 'exit 0' TERM; echo; while :; do sleep 1; done", true, 1},
		{workspace.CleanupNever, "true", false, 1},
	}
	for _, tt := range tests {
		t.Run(string(tt.policy)+" "+tt.script, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{}
			spec, opts := jobFor(t, "touch made; "+tt.script)
			opts.Cleanup = tt.policy
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if tt.cancel {
				cp.onChunk = func(context.Context, wire.Chunk) error {
					cancel(ErrCanceled)
					return nil
				}
			}
			if _, err := Run(ctx, spec, cp, opts); err != nil {
				t.Error(err)
			}
			kept, err := filepath.Glob(filepath.Join(opts.BuildPath, "job-*", "made"))
			if err != nil || len(kept) != tt.kept {
				t.Errorf("kept %q, want %d", kept, tt.kept)
			}
		})
	}
}
