package cli

import (
	"fmt"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/config"
)

// Token is a token with two flags: one for the token itself, and one with "-file"
// in its name for a file that holds it.
type Token struct {
	// Path is the path of the file, and File its flag.
	Path string
	File Flag

	text string
	flag Flag
}

// Token declares the two flags of a token. usage says what the token is, and
// defaultFile where it is read from when neither flag is given.
func (f Flags) Token(name, usage, defaultFile string) *Token {
	t := &Token{}
	t.flag = f.Text(&t.text, name, "TOKEN", usage+"; other users of this machine can see it, so prefer the file")
	t.flag.setting.secret = true
	t.File = f.SecretFile(&t.Path, "token file", name+"-file", "FILE", "file that holds the "+usage).Default(defaultFile)
	return t
}

// FileFlag returns the flag of the file, as it is written on a command line.
func (t *Token) FileFlag() string { return "--" + t.File.flag.Name }

// Read returns the token of the flag that was set by the stronger origin, or
// nothing where neither was set. Of a file it is the first line. It is an error when both
// have the same origin.
func (t *Token) Read() (string, error) {
	lines, err := t.ReadAll()
	token, _, _ := strings.Cut(lines, "\n")
	return token, err
}

// ReadAll is Read for all lines of the file: for a server that accepts each of the tokens.
func (t *Token) ReadAll() (string, error) {
	direct, inFile := t.flag.origin(), t.File.origin()
	switch {
	case direct == fromDefault && inFile == fromDefault:
		return "", nil
	case direct == inFile:
		return "", fmt.Errorf("--%s and %s are both given; give one", t.flag.flag.Name, t.FileFlag())
	case inFile < direct:
		lines, err := config.ReadTokenLines(t.Path)
		if err != nil && inFile == fromEnv {
			err = fmt.Errorf("%s: %w", t.File.setting.variable, err)
		}
		return strings.Join(lines, "\n"), err
	}
	if strings.ContainsFunc(t.text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", fmt.Errorf("--%s must not contain white space or characters outside ASCII", t.flag.flag.Name)
	}
	return t.text, nil
}
