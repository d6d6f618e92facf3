// Command packages makes the packages for Debian and Red Hat that .goreleaser.yaml describes, in seconds
// and without the rest of a release, so that each change can be tested by installing them.
//
//	go run -C .tools/packages . VERSION PROGRAMS OUT
//
// PROGRAMS is the directory of the programs. It runs in the root of the repository.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb" // a format
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm" // a format
	"go.yaml.in/yaml/v3"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: packages VERSION PROGRAMS OUT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "packages:", err)
		os.Exit(1)
	}
}

// release is what of .goreleaser.yaml this program uses.
type release struct {
	Packages []struct {
		Name        string         `yaml:"package_name"`
		IDs         []string       `yaml:"ids"`
		Formats     []string       `yaml:"formats"`
		Vendor      string         `yaml:"vendor"`
		Maintainer  string         `yaml:"maintainer"`
		Homepage    string         `yaml:"homepage"`
		License     string         `yaml:"license"`
		Section     string         `yaml:"section"`
		Bindir      string         `yaml:"bindir"`
		Description string         `yaml:"description"`
		Depends     []string       `yaml:"dependencies"`
		Recommends  []string       `yaml:"recommends"`
		Contents    files.Contents `yaml:"contents"`
		RPM         nfpm.RPM       `yaml:"rpm"`
		Scripts     nfpm.Scripts   `yaml:"scripts"`
	} `yaml:"nfpms"`
}

func run(version, programs, out string) error {
	if err := os.Chdir("../.."); err != nil { // go run -C has changed it
		return err
	}
	content, err := os.ReadFile(".goreleaser.yaml")
	if err != nil {
		return err
	}
	var r release
	if err := yaml.Unmarshal(content, &r); err != nil {
		return err
	}
	if len(r.Packages) == 0 {
		return errors.New(".goreleaser.yaml has no packages")
	}
	for _, p := range r.Packages {
		built := time.Unix(0, 0).UTC()
		for _, program := range p.IDs {
			p.Contents = append(p.Contents, &files.Content{
				Source: filepath.Join(programs, program), Destination: filepath.Join(p.Bindir, program),
				FileInfo: &files.ContentFileInfo{Mode: 0o755, MTime: built},
			})
		}
		for _, format := range p.Formats {
			packager, err := nfpm.Get(format)
			if err != nil {
				return err
			}
			info := nfpm.WithDefaults(&nfpm.Info{
				Name: p.Name, Arch: runtime.GOARCH, Platform: "linux", Version: version, MTime: built,
				Vendor: p.Vendor, Maintainer: p.Maintainer, Homepage: p.Homepage, License: p.License,
				Section: p.Section, Description: strings.TrimSpace(p.Description),
				Overridables: nfpm.Overridables{Depends: p.Depends, Recommends: p.Recommends, Contents: p.Contents, Scripts: p.Scripts, RPM: p.RPM},
			})
			if err := nfpm.PrepareForPackager(info, format); err != nil {
				return fmt.Errorf("package %s: %w", p.Name, err)
			}
			if err := write(packager, info, filepath.Join(out, packager.ConventionalFileName(info))); err != nil {
				return fmt.Errorf("package %s: %w", p.Name, err)
			}
		}
	}
	return nil
}

func write(packager nfpm.Packager, info *nfpm.Info, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := packager.Package(info, file); err != nil {
		return errors.Join(err, file.Close())
	}
	fmt.Println(path)
	return file.Close()
}
