package command

import (
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
)

// VersionInfo describes the program itself.
type VersionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Date    string `json:"date,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

const unknown = "(unknown)"

// ReadVersion returns what the Go toolchain wrote into the binary.
func ReadVersion() VersionInfo {
	info := VersionInfo{Version: unknown, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
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

// UserAgent returns the value of the User-Agent header of a program.
func UserAgent(program string) string {
	info := ReadVersion()
	return fmt.Sprintf("%s/%s (%s; %s)", program, info.Version, info.OS, info.Arch)
}

// Version returns `switchyard version`.
func (a *App) Version() *cobra.Command {
	cmd := cli.Command("version", "show the version of this program", cli.NoArgs)
	out := OutputFlag(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		info := ReadVersion()
		if out.JSON() {
			return a.WriteJSON(info)
		}
		return a.Printf("%s %s\ncommit %s\n%s %s/%s\n",
			a.Name, info.Version, cmp.Or(info.Commit, unknown), info.Go, info.OS, info.Arch)
	}
	return cmd
}
