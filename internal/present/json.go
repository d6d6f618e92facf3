package present

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// JSON writes a message as one line. Fields with their zero value are written too,
// except those that are messages.
func JSON(w io.Writer, message proto.Message) error {
	encoded, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(message)
	if err != nil {
		return fmt.Errorf("encoding as JSON: %w", err)
	}
	// protojson varies its white space on purpose; Compact makes the line stable.
	var line bytes.Buffer
	if err := json.Compact(&line, encoded); err != nil {
		return fmt.Errorf("encoding as JSON: %w", err)
	}
	line.WriteByte('\n')
	return write(w, line.Bytes())
}

// write writes b and adds what failed to an error.
func write(w io.Writer, b []byte) error {
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
