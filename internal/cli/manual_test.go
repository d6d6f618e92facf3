package cli

import "testing"

// TestRoff checks that no text is read as a request or an escape of roff.
func TestRoff(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain":            "plain",
		"--flag":           `\-\-flag`,
		`a\nb`:             `a\enb`,
		".git\n'quoted' x": "\\&.git\n\\&'quoted' x",
		"in a line .git":   "in a line .git",
	} {
		if got := roff(text); got != want {
			t.Errorf("roff(%q) = %q, want %q", text, got, want)
		}
	}
}
