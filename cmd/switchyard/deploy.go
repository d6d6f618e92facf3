package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/deploy"
)

const (
	deployedFileMode fs.FileMode = 0o644
	deployedDirMode  fs.FileMode = 0o755
)

// deployGroup returns `switchyard deploy`.
func (a *app) deployGroup() *cobra.Command {
	return cli.Group("deploy", "write files with which to run and watch Switchyard as a service",
		a.deploySet("systemd", "units of the control plane and of agents, their settings and their system users", deploy.Systemd),
		a.deploySet("compose", "a file for docker compose, with three NATS servers and three replicas", deploy.Compose),
		a.deploySet("kubernetes", "manifests for Kubernetes, of the control plane and of agents", deploy.Kubernetes),
		a.deploySet("grafana", "a dashboard for Grafana", deploy.Grafana),
		a.deploySet("alerts", "alert rules for Prometheus", deploy.Alerts),
	)
}

// deploySet returns the command that writes one set of files.
func (a *app) deploySet(name, what string, set func() []deploy.File) *cobra.Command {
	cmd := cli.Command(name, "write "+what, cli.NoArgs)
	cmd.Long = `Writes ` + what + `
to standard output, or, with --dir, as files below a directory, at the paths that they
have on a machine. A file that exists with another content is not replaced.`
	var dir string
	cli.PerCall(cmd).Text(&dir, "dir", "DIR", "write files below this directory; / is this machine")
	cmd.RunE = func(*cobra.Command, []string) error {
		if dir == "" {
			return a.printFiles(set())
		}
		return a.writeFiles(dir, set())
	}
	return cmd
}

// printFiles prints files, each below its path if there are several.
func (a *app) printFiles(files []deploy.File) error {
	for i, file := range files {
		header := ""
		if len(files) > 1 {
			header = "# " + file.Path + "\n"
			if i > 0 {
				header = "\n" + header
			}
		}
		if err := a.Printf("%s%s", header, file.Content); err != nil {
			return err
		}
	}
	return nil
}

// writeFiles writes files below a directory and prints their names.
func (a *app) writeFiles(dir string, files []deploy.File) error {
	for _, file := range files {
		path := filepath.Join(dir, filepath.FromSlash(file.Path))
		if err := writeNew(path, file.Content); err != nil {
			return err
		}
		if err := a.Printf("%s\n", path); err != nil {
			return err
		}
	}
	return nil
}

// writeNew writes a file that does not exist, or has this content already.
func writeNew(path string, content []byte) error {
	existing, err := os.ReadFile(path) //nolint:gosec // the user names the directory
	switch {
	case err == nil && bytes.Equal(existing, content):
		return nil
	case err == nil:
		return fmt.Errorf("%s exists and has another content: move it away, or merge the new one, which is printed without --dir", path)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("reading what is there: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), deployedDirMode); err != nil {
		return fmt.Errorf("making a directory: %w", err)
	}
	if err := os.WriteFile(path, content, deployedFileMode); err != nil {
		return fmt.Errorf("writing a file: %w", err)
	}
	return nil
}
