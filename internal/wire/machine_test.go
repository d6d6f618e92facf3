package wire

import (
	"strings"
	"testing"
	"time"
)

func TestMachineState(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text string
		want MachineState // the zero value if the text is refused
	}{
		{"FallingBack poll 4711", MachineState{"FallingBack", ControlPoll, 4711 * time.Millisecond}},
		{"StreamHealthy stream 0", MachineState{"StreamHealthy", ControlStream, 0}},
		{"Stopped none 999999999999", MachineState{"Stopped", ControlNone, 999999999999 * time.Millisecond}},
		{"", MachineState{}},
		{"FallingBack", MachineState{}},
		{"FallingBack poll", MachineState{}},
		{"FallingBack pigeon 1", MachineState{}},
		{"FallingBack poll -1", MachineState{}},
		{"FallingBack poll 1000000000000", MachineState{}},
		{"Falling\x1bBack poll 1", MachineState{}},
		{"FallingBack poll 1\n", MachineState{}},
		{strings.Repeat("F", 33) + " poll 1", MachineState{}},
	} {
		got, ok := ParseMachineState(row.text)
		if got != row.want || ok != (row.want != MachineState{}) {
			t.Errorf("%q: %+v, %v", row.text, got, ok)
		}
		if ok && got.String() != row.text {
			t.Errorf("%q is written as %q", row.text, got)
		}
	}
	if got := (MachineState{}).String(); got != "" {
		t.Errorf("the unknown state is written as %q", got)
	}
	if got := (MachineState{"Running", ControlStream, -time.Second}).String(); got != "Running stream 0" {
		t.Errorf("a clock that was set back: %q", got)
	}
}
