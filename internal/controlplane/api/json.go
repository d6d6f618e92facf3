package api

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// strictJSON decodes requests in JSON, and refuses a field or a value of an
// enumeration that does not exist: a misspelled filter must not select everything.
// Unknown fields in protobuf's binary form are still ignored, since a newer client
// sends them. It encodes as connect-go does.
type strictJSON struct{ name string }

// Name implements connect.Codec.
func (c strictJSON) Name() string { return c.name }

// Marshal implements connect.Codec.
func (strictJSON) Marshal(message any) ([]byte, error) {
	return protojson.Marshal(message.(proto.Message)) //nolint:wrapcheck,forcetypeassert // connect-go passes messages, and adds what failed
}

// Unmarshal implements connect.Codec. Its errors name the field or value, and the
// line and column.
func (strictJSON) Unmarshal(data []byte, message any) error {
	if len(data) == 0 {
		return errors.New("the body is empty, want a JSON object such as {}")
	}
	into := message.(proto.Message) //nolint:forcetypeassert // connect-go passes messages
	if err := protojson.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", into.ProtoReflect().Descriptor().Name(), err)
	}
	return nil
}
