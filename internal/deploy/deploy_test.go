package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnits has systemd check the units, with programs that exist.
func TestUnits(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skipf("no systemd: the units are not checked: %v", err)
	}
	noop, err := exec.LookPath("true")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	arguments := []string{"verify"}
	for _, file := range Systemd() {
		name := filepath.Base(file.Path)
		if filepath.Ext(name) != ".service" {
			continue
		}
		content := strings.NewReplacer("/usr/bin/switchyard-agent", noop, "/usr/bin/switchyard", noop).Replace(string(file.Content))
		path := filepath.Join(dir, strings.Replace(name, "@.", "@one.", 1))
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, path)
	}
	if len(arguments) != 4 {
		t.Fatalf("checking %v, want three units", arguments)
	}
	if output, err := exec.CommandContext(t.Context(), program, arguments...).CombinedOutput(); err != nil || len(output) > 0 {
		t.Errorf("%v: %s", err, output)
	}
}
