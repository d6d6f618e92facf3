package diagram_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/fsm/diagram"
)

func TestParseFormat(t *testing.T) {
	t.Parallel()
	for _, f := range diagram.Formats() {
		if got, err := diagram.ParseFormat(string(f)); got != f || err != nil {
			t.Errorf("ParseFormat(%q) is %q, %v", f, got, err)
		}
	}
	for _, name := range []string{"", "SVG", "png"} {
		_, err := diagram.ParseFormat(name)
		if err == nil {
			t.Errorf("ParseFormat(%q) has no error", name)
			continue
		}
		for _, f := range diagram.Formats() {
			if !strings.Contains(err.Error(), string(f)) {
				t.Errorf("ParseFormat(%q): %q does not name %s", name, err, f)
			}
		}
	}
}

func TestWriteErrors(t *testing.T) {
	t.Parallel()
	if err := diagram.Write(io.Discard, "png", diagram.Options{}); err == nil || !strings.Contains(err.Error(), "png") {
		t.Errorf("an unknown format: %v", err)
	}
	for _, f := range diagram.Formats() {
		if err := diagram.Write(full{}, f, diagram.Options{}); !errors.Is(err, errFull) {
			t.Errorf("%s to a full disk: %v", f, err)
		}
	}
}

var errFull = errors.New("no space left")

// full is a writer without space.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
