// Package browsertest finds the browser of tests, and what they run in it. It is for tests
// only.
package browsertest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Script is a script that tests run in a browser.
type Script struct {
	// Name names the script, for messages.
	Name string
	// File is the path of the script, from the directory of the test.
	File string
	// Install is the program that installs the script and Chromium, from the top of the
	// checkout.
	Install string
	// Require is a variable that is set to 1 where a skipped test is a failure.
	Require string
}

// Find returns the absolute paths of Chromium and of a script. If one of them is missing it
// skips the test, or fails it if s.Require is 1.
func Find(t *testing.T, s Script) (browser, script string) {
	t.Helper()
	script, err := filepath.Abs(s.File)
	if err != nil {
		t.Fatal(err)
	}
	browser = chromium()
	missing := ""
	if browser == "" {
		missing = "Chromium"
	} else if _, err := os.Stat(script); err != nil {
		missing = s.Name
	}
	switch {
	case missing != "" && os.Getenv(s.Require) == "1":
		t.Fatalf("%s is missing, and %s=1 requires it: run %s", missing, s.Require, s.Install)
	case missing != "":
		t.Skipf("%s is missing: run %s", missing, s.Install)
	}
	return browser, script
}

// Profile returns a directory for the profile of a browser. It is removed at the end of the
// test, if that is possible then: some processes of a browser end, and write, after the
// browser itself.
func Profile(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "switchyard-browser-") //nolint:usetesting // TempDir fails the test if a file is added meanwhile
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		const tries = 100
		again := time.NewTicker(20 * time.Millisecond) //nolint:mnd // a moment
		defer again.Stop()
		for range tries {
			if os.RemoveAll(dir) == nil {
				return
			}
			<-again.C
		}
	})
	return dir
}

// chromium returns the path of Chromium or Chrome, or "" if there is none.
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome-stable", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}
