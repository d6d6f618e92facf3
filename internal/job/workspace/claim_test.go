package workspace

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/zap"
)

// TestNilClaim calls the methods of a nil claim, and claims a path that is a file.
func TestNilClaim(t *testing.T) {
	t.Parallel()
	var none *Claim
	if err := none.Add("x"); err != nil || none.ID() != "" {
		t.Errorf("%v, %q", err, none.ID())
	}
	none.Release("x")
	if err := none.Close(); err != nil {
		t.Error(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ClaimBuildPath(file, CleanupAlways, zap.NewNop()); err == nil {
		t.Error("a file was claimed")
	}
}
