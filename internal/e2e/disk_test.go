package e2e_test

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/switchyard-ci/switchyard/internal/smalldisk"
)

// smallDiskSize is the size of $DISK, in MiB.
const smallDiskSize = 32

// TestSmallDisk runs the scripts with a small disk, $DISK.
func TestSmallDisk(t *testing.T) {
	t.Parallel()
	skipIfShort(t)
	dir := smalldisk.Mount(t, smallDiskSize)
	testscript.Run(t, params(t, "testdata/disk", path{settings: map[string]string{"DISK": dir}}))
}
