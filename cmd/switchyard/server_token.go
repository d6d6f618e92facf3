package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/datadir"
)

// warnOfAdminToken warns in one line where a control plane is about to create an admin token
// although there is one in the settings of commands, which earlier versions took: a replica
// would have another token than the others.
func (a *app) warnOfAdminToken(cmd *cobra.Command, settings controlplane.Config) error {
	path := filepath.Join(settings.DataDir, datadir.AdminTokenFile)
	if _, err := os.Lstat(path); settings.AdminToken != "" || !errors.Is(err, fs.ErrNotExist) {
		return nil // the start reports a file that cannot be used
	}
	for _, key := range []string{"admin-token", "admin-token-file"} {
		place, err := cli.PlaceOf(cmd, key)
		if err != nil {
			return err
		}
		if place != "" {
			own := "server." + key
			a.Notef("%s is for the commands that call a control plane; this one creates a token of its own in %s; to set its token, use %s (%s)",
				place, path, own, cli.EnvName(own))
			return nil
		}
	}
	return nil
}
