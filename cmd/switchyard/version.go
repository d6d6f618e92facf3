package main

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
)

// versionInfo describes the program itself.
type versionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Date    string `json:"date,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

const unknown = "(unknown)"

// readVersion returns what the Go toolchain wrote into the binary.
func readVersion() versionInfo {
	info := versionInfo{Version: unknown, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return info
	}
	info.Version = cmp.Or(build.Main.Version, unknown)
	for _, setting := range build.Settings {
		switch setting.Key {
		case "vcs.revision":
			info.Commit = setting.Value
		case "vcs.time":
			info.Date = setting.Value
		}
	}
	return info
}

// userAgent returns the value of the User-Agent header.
func userAgent() string {
	info := readVersion()
	return fmt.Sprintf("%s/%s (%s; %s)", programName, info.Version, info.OS, info.Arch)
}

// version returns `switchyard version`.
func (a *app) version() *cobra.Command {
	cmd := cli.Command("version", "show the version of this program", cli.NoArgs)
	out := outputFlag(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		info := readVersion()
		if out.json() {
			return a.writeJSON(info)
		}
		return a.printf("%s %s\ncommit %s\n%s %s/%s\n",
			programName, info.Version, cmp.Or(info.Commit, unknown), info.Go, info.OS, info.Arch)
	}
	return cmd
}
