package record

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// packFrom is the size of a record, in bytes, from which packing is considered.
// Smaller records stay readable.
const packFrom = 16 << 10

// stored is implemented by records whose stored form is not their plain JSON.
type stored interface {
	encode() ([]byte, error)
	decode(data []byte) error
}

// Encode returns a record, a pointer to one of this package or any value, as it is
// stored. Whatever they contain, the texts of a record take at most 4/3 of their
// size in it, and packFrom.
func Encode(v any) ([]byte, error) {
	var data []byte
	var err error
	if s, ok := v.(stored); ok {
		data, err = s.encode()
	} else {
		data, err = encodeJSON(v)
	}
	if err != nil {
		return nil, fmt.Errorf("encoding a record: %w", err)
	}
	return data, nil
}

// Decode reads what Encode returned into v, a pointer.
func Decode(data []byte, v any) error {
	var err error
	if s, ok := v.(stored); ok {
		err = s.decode(data)
	} else {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return fmt.Errorf("decoding a record: %w", err)
	}
	return nil
}

// encodeJSON returns the JSON of v. It does not escape for HTML, which would write
// six bytes for each of <, > and &.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err //nolint:wrapcheck // Encode says what was attempted
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), nil
}

// shorter reports whether packed texts take fewer bytes in JSON than plain ones.
func shorter(plain any, packed ...[]byte) bool {
	data, err := encodeJSON(plain)
	size := 0
	for _, p := range packed {
		size += base64.StdEncoding.EncodedLen(len(p))
	}
	return err == nil && size < len(data)
}

// storedJob is a job as it is stored. A command and an environment are packed if
// that is shorter, because JSON escapes much of them.
type storedJob struct {
	Job

	Command       []string          `json:"command,omitempty"`
	Env           map[string]string `json:"env,omitempty"`
	PackedCommand []byte            `json:"packed_command,omitempty"`
	PackedEnv     []byte            `json:"packed_env,omitempty"`
}

func (j *Job) encode() ([]byte, error) {
	data, err := encodeJSON(storedJob{Job: *j, Command: j.Command, Env: j.Env})
	if err != nil || len(data) < packFrom {
		return data, err
	}
	packed := storedJob{Job: *j, PackedCommand: pack(j.Command), PackedEnv: packMap(j.Env)}
	if shorter(storedJob{Command: j.Command, Env: j.Env}, packed.PackedCommand, packed.PackedEnv) {
		return encodeJSON(packed)
	}
	return data, nil
}

func (j *Job) decode(data []byte) error {
	var s storedJob
	if err := json.Unmarshal(data, &s); err != nil {
		return err //nolint:wrapcheck // Decode says what was attempted
	}
	return s.job(j)
}

// job sets the job to the one that is stored.
func (s *storedJob) job(j *Job) (err error) {
	if *j = s.Job; s.PackedCommand == nil {
		j.Command, j.Env = s.Command, s.Env
		return nil
	}
	if j.Command, err = unpack(s.PackedCommand); err != nil {
		return err
	}
	j.Env, err = unpackMap(s.PackedEnv)
	return err
}

// Listed is a job without its history, which is a third of the time that decoding
// takes. It is for lists, and must not be stored.
type Listed struct{ Job }

func (l *Listed) decode(data []byte) error {
	var s struct {
		storedJob

		History skipped `json:"history"`
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return err //nolint:wrapcheck // Decode says what was attempted
	}
	return s.job(&l.Job)
}

// skipped is a value that is not decoded.
type skipped struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (skipped) UnmarshalJSON([]byte) error { return nil }

// storedMetadata is the meta-data of a build as it is stored.
type storedMetadata struct {
	Values map[string]string `json:"values,omitempty"`
	Packed []byte            `json:"packed,omitempty"`
}

func (m *Metadata) encode() ([]byte, error) {
	data, err := encodeJSON(storedMetadata{Values: m.Values})
	if err != nil || len(data) < packFrom {
		return data, err
	}
	if packed := packMap(m.Values); shorter(m.Values, packed) {
		return encodeJSON(storedMetadata{Packed: packed})
	}
	return data, nil
}

func (m *Metadata) decode(data []byte) error {
	var s storedMetadata
	err := json.Unmarshal(data, &s)
	if err != nil {
		return err //nolint:wrapcheck // Decode says what was attempted
	}
	if m.Values = s.Values; s.Packed != nil {
		m.Values, err = unpackMap(s.Packed)
	}
	return err
}

// pack returns texts one after another, each behind its length, so that their size
// does not depend on their content.
func pack(texts []string) []byte {
	var b []byte
	for _, text := range texts {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return b
}

// unpack returns the texts that pack was called with.
func unpack(b []byte) ([]string, error) {
	var texts []string
	for len(b) > 0 {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)) || int(size) > len(b)-n { //nolint:gosec // at most len(b)
			return nil, fmt.Errorf("decoding packed texts: damaged at %d bytes from the end", len(b))
		}
		end := n + int(size) //nolint:gosec // at most len(b)
		texts, b = append(texts, string(b[n:end])), b[end:]
	}
	return texts, nil
}

// packMap is pack for the keys and values of a map, in the order of the keys.
func packMap(values map[string]string) []byte {
	texts := make([]string, 0, 2*len(values))
	for _, key := range slices.Sorted(maps.Keys(values)) {
		texts = append(texts, key, values[key])
	}
	return pack(texts)
}

// unpackMap returns the map that packMap was called with, nil if it was empty.
func unpackMap(b []byte) (map[string]string, error) {
	texts, err := unpack(b)
	if err != nil || len(texts) == 0 {
		return nil, err
	}
	if len(texts)%2 != 0 {
		return nil, fmt.Errorf("decoding packed texts: key %q has no value", texts[len(texts)-1])
	}
	values := make(map[string]string, len(texts)/2)
	for pair := range slices.Chunk(texts, 2) {
		values[pair[0]] = pair[1]
	}
	return values, nil
}
