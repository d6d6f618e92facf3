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

// What a release writes into the binary with the linker's flag -X, for builds from a source
// without its git directory, such as that of an image. date is the time of the commit, so
// that two builds of one commit are equal.
//
//nolint:gochecknoglobals // only the linker sets them
var version, commit, date string

// ReadVersion returns what the linker's flags, else the Go toolchain, wrote into the binary.
// Date is the time of the commit, in RFC 3339.
func ReadVersion() VersionInfo {
	info := VersionInfo{Version: version, Commit: commit, Date: date, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	if build, ok := debug.ReadBuildInfo(); ok {
		info.Version = cmp.Or(info.Version, build.Main.Version)
		for _, setting := range build.Settings {
			switch setting.Key {
			case "vcs.revision":
				info.Commit = cmp.Or(info.Commit, setting.Value)
			case "vcs.time":
				info.Date = cmp.Or(info.Date, setting.Value)
			}
		}
	}
	info.Version = cmp.Or(info.Version, unknown)
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
		return a.Printf("%s %s\ncommit %s of %s\n%s %s/%s\n", a.Name, info.Version,
			cmp.Or(info.Commit, unknown), cmp.Or(info.Date, unknown), info.Go, info.OS, info.Arch)
	}
	return cmd
}
