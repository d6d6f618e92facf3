package wire

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// CheckRepository returns an error if git could read the URL of a repository as an option, or
// if no repository can have it. The error does not show the URL, which may have a password.
func CheckRepository(repository string) error {
	switch {
	case strings.HasPrefix(repository, "-"):
		return errors.New(`must not begin with "-"`)
	case strings.ContainsFunc(repository, unicode.IsControl):
		return errors.New("must not contain a line break or another control character")
	}
	return nil
}

// CheckRef returns an error if no branch, tag or other reference of a git repository can
// have a name, by the rules of git-check-ref-format(1). A name that passes may begin with
// "-" or "+", or be a word of git's command line, so that it must be used as a part of a
// complete reference such as refs/heads/NAME.
func CheckRef(name string) error {
	switch {
	case name == "":
		return errors.New("must not be empty")
	case name == "@":
		return errors.New(`must not be "@"`)
	case strings.HasSuffix(name, "."):
		return errors.New(`must not end with "."`)
	}
	for _, r := range name {
		if r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\`, r) {
			return fmt.Errorf("must not contain %q", r)
		}
	}
	for _, part := range []string{"..", "@{"} {
		if strings.Contains(name, part) {
			return fmt.Errorf("must not contain %q", part)
		}
	}
	for component := range strings.SplitSeq(name, "/") {
		switch {
		case component == "":
			return errors.New(`must not begin or end with "/", or contain "//"`)
		case strings.HasPrefix(component, "."):
			return errors.New(`must not contain a component that begins with "."`)
		case strings.HasSuffix(component, ".lock"):
			return errors.New(`must not contain a component that ends with ".lock"`)
		}
	}
	return nil
}
