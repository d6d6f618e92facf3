package fsm

import (
	"fmt"
	"slices"
)

// The kinds of this package are written as their names in text, and so in JSON,
// and read from them again. To read a name that is none is an error that quotes
// it, and changes nothing.

// MarshalText returns the state's name. It returns no error.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a state's name.
func (s *State) UnmarshalText(text []byte) error { return named(s, stateNames[:], text, "state") }

// MarshalText returns the kind's name. It returns no error.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a kind's name.
func (k *EventKind) UnmarshalText(text []byte) error {
	return named(k, eventKindNames[:], text, "event")
}

// MarshalText returns the effect in words. It returns no error.
func (k EffectKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads an effect in words.
func (k *EffectKind) UnmarshalText(text []byte) error {
	return named(k, effectKindNames[:], text, "effect")
}

// MarshalText returns the reason in words. It returns no error.
func (r LeaveReason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a reason in words.
func (r *LeaveReason) UnmarshalText(text []byte) error {
	return named(r, leaveReasonNames[:], text, "reason to leave")
}

// MarshalText returns the mode's name. It returns no error.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a mode's name.
func (m *Mode) UnmarshalText(text []byte) error { return named(m, modeNames[:], text, "mode") }

// MarshalText returns the status's name. It returns no error.
func (s StreamStatus) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a status's name.
func (s *StreamStatus) UnmarshalText(text []byte) error {
	return named(s, streamStatusNames[:], text, "status of the stream")
}

// named sets what is called so.
func named[T ~uint8](value *T, names []string, text []byte, what string) error {
	i := slices.Index(names, string(text))
	if i < 0 {
		return fmt.Errorf("no %s is called %q", what, text)
	}
	*value = T(i)
	return nil
}
