package api

import (
	"bytes"
	"strings"
	"testing"

	"connectrpc.com/connect"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// TestBoundedCodecs decodes requests with many elements: the ones up to the limit
// are decoded, and longer ones are refused before anything is allocated for them. It
// counts allocations, so it does not run in parallel.
func TestBoundedCodecs(t *testing.T) {
	binaryCodec, jsonCodec := boundedCodec{binary{}, binaryElements}, boundedCodec{strictJSON{"json"}, jsonElements}
	list := func(n int, element string) []byte {
		return []byte(`{"command":[` + strings.TrimSuffix(strings.Repeat(element+",", n), ",") + `]}`)
	}
	for _, row := range []struct {
		name    string
		codec   connect.Codec
		data    []byte
		decoded int // arguments; -1 is refused
	}{
		{"binary, few", binaryCodec, bytes.Repeat([]byte{0x0a, 0}, 3), 3},
		{"binary, at the limit", binaryCodec, bytes.Repeat([]byte{0x0a, 0}, maxElements), maxElements},
		{"binary, above the limit", binaryCodec, bytes.Repeat([]byte{0x0a, 0}, maxElements+1), -1},
		{"binary, entries of a map", binaryCodec, bytes.Repeat([]byte{0x12, 0}, maxElements+1), -1},
		{"binary, unknown fields", binaryCodec, bytes.Repeat([]byte{0x7a, 0}, maxElements+1), -1},
		{"binary, damaged", binaryCodec, []byte{0x0a, 9}, -1},
		{"JSON, few", jsonCodec, list(3, `"a,[{\"b"`), 3},
		{"JSON, commas in a string", jsonCodec, list(1, `"`+strings.Repeat(",", 2*maxElements)+`"`), 1},
		{"JSON, above the limit", jsonCodec, list(maxElements+1, `""`), -1},
		{"JSON, nested", jsonCodec, []byte(strings.Repeat("[", 2*maxElements)), -1},
	} {
		var got switchyardv1.SubmitJobRequest
		switch err := row.codec.Unmarshal(row.data, &got); {
		case row.decoded < 0 && err == nil:
			t.Errorf("%s: decoded, want an error", row.name)
		case row.decoded >= 0 && (err != nil || len(got.GetCommand()) != row.decoded):
			t.Errorf("%s: %d arguments, %v; want %d", row.name, len(got.GetCommand()), err, row.decoded)
		}
	}
	tooMany := bytes.Repeat([]byte{0x0a, 0}, 1<<20)
	// Other goroutines of the process allocate, too; decoding would take a million.
	if allocated := testing.AllocsPerRun(1, func() { _ = binaryCodec.Unmarshal(tooMany, new(switchyardv1.SubmitJobRequest)) }); allocated > 1000 {
		t.Errorf("refusing a million elements took %v allocations", allocated)
	}
}
