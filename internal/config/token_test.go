package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadTokenFile(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, content, want, err string }{
		{name: "with a line break", content: "abc\n", want: "abc"},
		{name: "with white space around it", content: " abc \r\n", want: "abc"},
		{name: "with a byte order mark", content: "\ufeffabc\n", want: "abc"},
		{name: "empty", content: "\n", err: "empty"},
		{name: "two words", content: "s3cret two\n", err: "one token on each line"},
		{name: "the first of two lines", content: "\nnew\r\nold\n", want: "new"},
		{name: "too many lines", content: strings.Repeat("s3cret\n", MaxTokenLines+1), err: "one token on each line"},
		{name: "as long as may be", content: strings.Repeat("x", maxTokenFile), want: strings.Repeat("x", maxTokenFile)},
		{name: "too long", content: strings.Repeat("x", maxTokenFile+1), err: "larger than 4096 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "token")
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			got, err := ReadTokenFile(path)
			if tt.err == "" {
				if err != nil || got != tt.want {
					t.Fatalf("got %q, %v; want %q", got, err, tt.want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.err) || !strings.Contains(err.Error(), path) {
				t.Fatalf("error %v, want one with %q and %s", err, tt.err, path)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("error %q shows the content", err)
			}
		})
	}
}

// TestTokenFileIsBounded reads a file that does not end soon, such as a device that was named
// by mistake: no more than a token file may have is read.
func TestTokenFileIsBounded(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/fd"); err != nil {
		t.Skip("this system has no /dev/fd")
	}
	const endless, most = 8 << 20, 1 << 20 // a pipe holds some of it
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	written := make(chan int, 1)
	go func() {
		n, _ := write.Write(make([]byte, endless)) // an error once nobody reads
		_ = write.Close()
		written <- n
	}()
	_, err = ReadTokenFile(fmt.Sprintf("/dev/fd/%d", read.Fd()))
	_ = read.Close()
	if n := <-written; n > most || err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("%d bytes were taken, error %v", n, err)
	}
}
