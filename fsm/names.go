package fsm

import "fmt"

// The enumerations of this package are written as their names in text, and so
// in JSON, and are read from them. Reading an unknown name is an error that
// quotes it, and leaves the value unchanged.

// noName is the name of a value that its type does not have.
const noName = "(unknown)"

// enumeration is a type whose values are 0 to a count, each with a name.
type enumeration interface {
	~uint8
	String() string
}

func nameOf[T ~uint8](value T, names []string) string {
	if int(value) < len(names) {
		return names[value]
	}
	return noName
}

func valuesOf[T ~uint8](count int) []T {
	values := make([]T, count)
	for i := range values {
		values[i] = T(i)
	}
	return values
}

func parse[T enumeration](count int, name string) (T, bool) {
	for i := range count {
		if value := T(i); value.String() == name {
			return value, true
		}
	}
	var first T
	return first, false
}

func unmarshal[T enumeration](value *T, count int, text []byte, what string) error {
	read, ok := parse[T](count, string(text))
	if !ok {
		return fmt.Errorf("no %s is called %q", what, text)
	}
	*value = read
	return nil
}

// MarshalText returns the state's name. It returns no error.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a state's name.
func (s *State) UnmarshalText(text []byte) error { return unmarshal(s, stateCount, text, "state") }

// MarshalText returns the kind's name. It returns no error.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a kind's name.
func (k *EventKind) UnmarshalText(text []byte) error {
	return unmarshal(k, eventKindCount, text, "event")
}

// MarshalText returns the effect in words. It returns no error.
func (k EffectKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads an effect in words.
func (k *EffectKind) UnmarshalText(text []byte) error {
	return unmarshal(k, effectKindCount, text, "effect")
}

// MarshalText returns the reason in words. It returns no error.
func (r LeaveReason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads a reason in words.
func (r *LeaveReason) UnmarshalText(text []byte) error {
	return unmarshal(r, leaveReasonCount, text, "reason to leave")
}

// MarshalText returns the mode's name. It returns no error.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a mode's name.
func (m *Mode) UnmarshalText(text []byte) error { return unmarshal(m, modeCount, text, "mode") }

// MarshalText returns the status's name. It returns no error.
func (s StreamStatus) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads a status's name.
func (s *StreamStatus) UnmarshalText(text []byte) error {
	return unmarshal(s, streamStatusCount, text, "status of the stream")
}
