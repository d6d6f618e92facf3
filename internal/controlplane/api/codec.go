package api

import (
	"fmt"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// maxElements bounds the fields of a request in protobuf's binary form, and the
// values of one in JSON. An empty element has two bytes in a request and many more
// in memory. A job has room for 50,000 short arguments.
const maxElements = 64 << 10

// codecs are the options for protobuf's binary form and for both names that
// connect-go has for JSON.
func codecs() []connect.HandlerOption {
	return []connect.HandlerOption{
		connect.WithCodec(boundedCodec{binary{}, binaryElements}),
		connect.WithCodec(boundedCodec{strictJSON{"json"}, jsonElements}),
		connect.WithCodec(boundedCodec{strictJSON{"json; charset=utf-8"}, jsonElements}),
	}
}

// boundedCodec refuses a message with more than maxElements elements before it
// allocates memory for them.
type boundedCodec struct {
	connect.Codec

	count func(data []byte, message any) int
}

// Unmarshal implements connect.Codec.
func (c boundedCodec) Unmarshal(data []byte, message any) error {
	if n := c.count(data, message); n > maxElements {
		return fmt.Errorf("the request has more than %d elements", maxElements)
	}
	return c.Codec.Unmarshal(data, message) //nolint:wrapcheck // it says what is wrong
}

// binaryElements returns the number of fields at the top level of a message in
// protobuf's binary form, and of the jobs of a SubmitJobsRequest. It stops at what is
// not one: the decoder refuses that. The elements of a request of ours that can be many
// are all there.
func binaryElements(data []byte, message any) (n int) {
	_, nested := message.(*switchyardv1.SubmitJobsRequest)
	for ; len(data) > 0; n++ {
		_, kind, length := protowire.ConsumeField(data)
		if length < 0 {
			return n
		}
		if nested && kind == protowire.BytesType {
			_, _, tag := protowire.ConsumeTag(data)
			job, _ := protowire.ConsumeBytes(data[tag:])
			n += binaryElements(job, nil)
		}
		data = data[length:]
	}
	return n
}

// jsonElements returns the number of commas and opening brackets outside the
// strings of a JSON text, which is at least the number of its values less one.
func jsonElements(data []byte, _ any) (n int) {
	inString := false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case !inString && (c == ',' || c == '[' || c == '{'):
			n++
		}
	}
	return n
}

// binary is protobuf's binary form, as connect-go has it.
type binary struct{}

// Name implements connect.Codec.
func (binary) Name() string { return "proto" }

// Marshal implements connect.Codec.
func (binary) Marshal(message any) ([]byte, error) {
	return proto.Marshal(message.(proto.Message)) //nolint:wrapcheck,forcetypeassert // connect-go passes messages, and adds what failed
}

// Unmarshal implements connect.Codec.
func (binary) Unmarshal(data []byte, message any) error {
	return proto.Unmarshal(data, message.(proto.Message)) //nolint:wrapcheck,forcetypeassert // the same
}
