package present

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// exitStatusField is the field whose text is a number to programs.
const exitStatusField = "exit_status"

// JSON writes a message as one line, in the words of the command line:
//
//   - names of fields as in protobuf's JSON;
//   - a value of an enumeration as people type it, such as "timed-out", and "" if it is
//     not set;
//   - every integer as a number, and so an exit status, which is null before there is one;
//   - a time as in RFC 3339, in UTC; a duration as seconds with the unit, such as "90s";
//   - bytes in base64.
//
// Fields with their zero value are written too, except those that are messages.
func JSON(w io.Writer, message proto.Message) error {
	var line bytes.Buffer
	if err := writeMessage(&line, message.ProtoReflect()); err != nil {
		return fmt.Errorf("encoding as JSON: %w", err)
	}
	line.WriteByte('\n')
	return write(w, line.Bytes())
}

// writeMessage writes a message as an object, its fields in the order of their declaration.
func writeMessage(b *bytes.Buffer, message protoreflect.Message) error {
	switch known := message.Interface().(type) {
	case *timestamppb.Timestamp:
		return writeText(b, known.AsTime().Format(time.RFC3339Nano))
	default:
		if message.Descriptor().ParentFile().Package() == "google.protobuf" {
			return writeWellKnown(b, known)
		}
	}
	b.WriteByte('{')
	fields := message.Descriptor().Fields()
	first := true
	for i := range fields.Len() {
		field := fields.Get(i)
		if field.HasPresence() && !message.Has(field) {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		if err := writeText(b, field.JSONName()); err != nil {
			return err
		}
		b.WriteByte(':')
		if err := writeField(b, field, message.Get(field)); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

// writeWellKnown writes a message that has a form of its own in protobuf's JSON.
func writeWellKnown(b *bytes.Buffer, message proto.Message) error {
	encoded, err := protojson.Marshal(message)
	if err != nil {
		return err //nolint:wrapcheck // JSON adds what failed
	}
	return json.Compact(b, encoded) //nolint:wrapcheck // as above; protojson varies its white space on purpose
}

func writeField(b *bytes.Buffer, field protoreflect.FieldDescriptor, value protoreflect.Value) error {
	switch {
	case field.IsList():
		list := value.List()
		b.WriteByte('[')
		for i := range list.Len() {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeValue(b, field, list.Get(i)); err != nil {
				return err
			}
		}
		b.WriteByte(']')
		return nil
	case field.IsMap():
		return writeMap(b, field, value.Map())
	}
	return writeValue(b, field, value)
}

// writeMap writes a map as an object, sorted by its keys.
func writeMap(b *bytes.Buffer, field protoreflect.FieldDescriptor, entries protoreflect.Map) error {
	keys := make([]protoreflect.MapKey, 0, entries.Len())
	for key := range entries.Range {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(x, y protoreflect.MapKey) int { return cmp.Compare(x.String(), y.String()) })
	b.WriteByte('{')
	for i, key := range keys {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := writeText(b, key.String()); err != nil {
			return err
		}
		b.WriteByte(':')
		if err := writeValue(b, field.MapValue(), entries.Get(key)); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

// writeValue writes one value: of a field, or an element of a list or map.
func writeValue(b *bytes.Buffer, field protoreflect.FieldDescriptor, value protoreflect.Value) error {
	switch field.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return writeMessage(b, value.Message())
	case protoreflect.EnumKind:
		return writeText(b, enumWord(field.Enum(), value.Enum()))
	case protoreflect.BytesKind:
		return writeText(b, base64.StdEncoding.EncodeToString(value.Bytes()))
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		if number := value.Float(); math.IsNaN(number) || math.IsInf(number, 0) {
			b.WriteString("null")
			return nil
		}
		b.WriteString(strconv.FormatFloat(value.Float(), 'g', -1, 64))
		return nil
	case protoreflect.StringKind:
		if field.Name() == exitStatusField {
			return writeExitStatus(b, value.String())
		}
		return writeText(b, value.String())
	default: // numbers and booleans
		_, _ = fmt.Fprint(b, value.Interface())
		return nil
	}
}

// writeExitStatus writes an exit status as a number, or null for none. What is not a
// number, which an agent of another kind may send, is written as text.
func writeExitStatus(b *bytes.Buffer, status string) error {
	if status == "" {
		b.WriteString("null")
		return nil
	}
	number, err := strconv.ParseInt(status, 10, 64)
	if err != nil {
		return writeText(b, status)
	}
	b.WriteString(strconv.FormatInt(number, 10))
	return nil
}

// enumWord returns a value of an enumeration as people type it; "" for the one that is not
// set, and the number of one that this program does not know.
func enumWord(enum protoreflect.EnumDescriptor, number protoreflect.EnumNumber) string {
	value := enum.Values().ByNumber(number)
	switch {
	case number == 0:
		return ""
	case value == nil:
		return strconv.Itoa(int(number))
	}
	return word(string(value.Name()), enumPrefix(enum))
}

func writeText(b *bytes.Buffer, text string) error {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return err //nolint:wrapcheck // JSON adds what failed
	}
	b.Truncate(b.Len() - 1) // the line feed of the encoder
	return nil
}

// write writes b and adds what failed to an error.
func write(w io.Writer, b []byte) error {
	if _, err := w.Write(b); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
