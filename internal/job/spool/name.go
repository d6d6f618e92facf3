package spool

import "strings"

// MaxNameLen is the most bytes of an id that go into a name: folders are to
// have short names, whatever the id, since some tools make socket paths in
// them.
const MaxNameLen = 40

// SafeName is what of an id, which comes from outside, is harmless in a path,
// at most MaxNameLen bytes of it. A job's working directory is named by it as
// its folder in the spool is. It may be called concurrently.
func SafeName(id string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		default:
			return '_'
		}
	}, id)
	return name[:min(len(name), MaxNameLen)]
}
