package present

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// JSON writes a message as one line, with every field that is not a message
// itself, so that a program need not guess what an absent field means.
func JSON(w io.Writer, message proto.Message) error {
	encoded, err := protojson.MarshalOptions{EmitDefaultValues: true}.Marshal(message)
	if err != nil {
		return fmt.Errorf("encoding as JSON: %w", err)
	}
	// protojson puts spaces where it likes, on purpose; here a line is stable.
	var line bytes.Buffer
	if err := json.Compact(&line, encoded); err != nil {
		return fmt.Errorf("encoding as JSON: %w", err)
	}
	line.WriteByte('\n')
	return write(w, line.Bytes())
}

// write writes to standard output, or what stands in for it.
func write(w io.Writer, b []byte) error {
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
