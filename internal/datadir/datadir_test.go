package datadir

import "testing"

func TestDefault(t *testing.T) {
	for _, row := range []struct {
		name, state, home string
		want              string // empty: an error
	}{
		{"state directory", "/state", "/home/me", "/state/switchyard"},
		{"relative state directory", "state", "/home/me", "/home/me/.local/state/switchyard"},
		{"home directory", "", "/home/me", "/home/me/.local/state/switchyard"},
		{"neither", "", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("XDG_STATE_HOME", row.state)
			t.Setenv("HOME", row.home)
			got, err := Default()
			if got != row.want || (err == nil) != (row.want != "") {
				t.Errorf("Default() = %q, %v; want %q", got, err, row.want)
			}
		})
	}
}
