package wire

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// MachineState is the state of a worker's machine, as its agent reports it in
// HeaderMachine: "FallingBack poll 4711", the name of the state, what is in control, and
// the milliseconds since the state was entered. The zero value is not known.
type MachineState struct {
	// Name is the name of the state.
	Name string
	// Control is what is in control: ControlStream, ControlPoll or ControlNone.
	Control string
	// For is the time since the state was entered, to the millisecond. An age is sent, and
	// not a moment, because the clocks of two machines differ.
	For time.Duration
}

// What is in control of a worker.
const (
	ControlStream = "stream"
	ControlPoll   = "poll"
	ControlNone   = "none"
)

// machineForm is the form of HeaderMachine. It bounds all that a caller can make a
// control plane keep: a name of 32 letters, and a number of 31 years.
var machineForm = regexp.MustCompile(`^([A-Za-z]{1,32}) (stream|poll|none) (\d{1,12})$`)

// String returns the value of the header, or "" for the zero value.
func (m MachineState) String() string {
	if m.Name == "" {
		return ""
	}
	return fmt.Sprintf("%s %s %d", m.Name, m.Control, max(0, m.For.Milliseconds()))
}

// ParseMachineState parses a value of the header. ok is false if it has another form.
func ParseMachineState(text string) (m MachineState, ok bool) {
	parts := machineForm.FindStringSubmatch(text)
	if parts == nil {
		return MachineState{}, false
	}
	millis, err := strconv.ParseInt(parts[3], 10, 64)
	if err != nil {
		return MachineState{}, false
	}
	return MachineState{Name: parts[1], Control: parts[2], For: time.Duration(millis) * time.Millisecond}, true
}
