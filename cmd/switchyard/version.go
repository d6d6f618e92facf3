package main

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v3"
)

// versionInfo is what is known of the program itself.
type versionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Date    string `json:"date,omitempty"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

// readVersion reads what the Go toolchain wrote into the binary.
func readVersion() versionInfo {
	info := versionInfo{Version: "(unknown)", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return info
	}
	if build.Main.Version != "" {
		info.Version = build.Main.Version
	}
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

// userAgent is how the program calls itself on the wire.
func userAgent() string {
	info := readVersion()
	return fmt.Sprintf("%s/%s (%s; %s)", name, info.Version, info.OS, info.Arch)
}

// version is `switchyard version`.
func (a *app) version() *cli.Command {
	return &cli.Command{
		Name:  "version",
		Usage: "show the version of this program",
		Flags: []cli.Flag{a.outputFlag()},
		Action: func(_ context.Context, cmd *cli.Command) error {
			if err := noArguments(cmd); err != nil {
				return err
			}
			info := readVersion()
			if asJSON(cmd) {
				return a.writeJSON(info)
			}
			return a.printf("%s %s\ncommit %s\n%s %s/%s\n", name, info.Version, orUnknown(info.Commit), info.Go, info.OS, info.Arch)
		},
	}
}

func orUnknown(s string) string {
	if s == "" {
		return "(unknown)"
	}
	return s
}

// writeJSON writes a value of the program's own as one line of JSON.
func (a *app) writeJSON(value any) error {
	line, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding as JSON: %w", err)
	}
	return a.printf("%s\n", line)
}
