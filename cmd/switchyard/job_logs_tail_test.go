package main

import (
	"testing"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Where the last lines of a log begin, if it arrives in chunks of any size.
func TestLastLines(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		log   string
		lines int
		want  string // the last lines; "?" where they begin before the log
	}{
		{"one\ntwo\nthree\n", 1, "three\n"},
		{"one\ntwo\nthree\n", 2, "two\nthree\n"},
		{"one\ntwo\nthree\n", 3, "?"},
		{"one\ntwo\nthree", 1, "three"},
		{"one\ntwo\nthree", 2, "two\nthree"},
		{"one\n\n\n", 2, "\n\n"},
		{"one\ntwo\n", 0, ""},
		{"one\ntwo", 0, ""},
		{"no end", 1, "?"},
		{"", 0, ""},
		{"", 1, "?"},
	} {
		const begin = 1000
		for size := 1; size <= len(row.log)+1; size++ {
			l := &lineEnds{most: row.lines + 1, end: begin}
			for at := 0; at < len(row.log); at += size {
				data := row.log[at:min(at+size, len(row.log))]
				if err := l.Log(&switchyardv1.LogChunk{Offset: uint64(begin + at), Data: []byte(data)}); err != nil {
					t.Fatal(err)
				}
			}
			offset, found := l.last(row.lines)
			got := "?"
			if found {
				got = row.log[offset-begin:]
			}
			if got != row.want {
				t.Errorf("the last %d lines of %q in chunks of %d bytes are %q, want %q", row.lines, row.log, size, got, row.want)
			}
		}
	}
}
