package transport

import (
	"bytes"
	"testing"
)

func TestCompress(t *testing.T) {
	// A compressor is used for many chunks: one must not change the next.
	long, err := compress(bytes.Repeat([]byte("x"), 1<<20))
	if err != nil || len(long) > 1<<14 {
		t.Errorf("%d bytes, %v", len(long), err)
	}
	first, err := compress([]byte("a"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := compress([]byte("a"))
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("%x and %x, %v", first, second, err)
	}
}
