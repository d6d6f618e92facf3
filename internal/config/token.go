package config

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v3"
)

// maxTokenFile keeps a wrong file, named by mistake, from being taken for a token.
const maxTokenFile = 4096

// ReadTokenFile reads a token from a file that holds nothing else but white space
// around it. The message of an error names the file and never shows its content.
func ReadTokenFile(path string) (string, error) {
	content, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		return "", fmt.Errorf("token file %s: %w", path, reason(err))
	}
	token := string(bytes.TrimSpace(content))
	switch {
	case token == "":
		return "", fmt.Errorf("token file %s: empty", path)
	case len(content) > maxTokenFile, bytes.ContainsAny(bytes.TrimSpace(content), " \t\r\n"):
		return "", fmt.Errorf("token file %s: must hold one token and nothing else", path)
	}
	return token, nil
}

// Token is the value of a token's setting, which has two flags: the token itself,
// and with "-file" behind it a file that holds it. The one from the stronger
// origin counts; both from the same origin contradict each other and are refused.
// It is empty where neither was given.
func (s *Settings) Token(cmd *cli.Command, flag, key string) (string, error) {
	file := flag + "-file"
	direct, inFile := s.Origin(cmd, flag, key), s.Origin(cmd, file, key+"-file")
	switch {
	case direct == FromDefault && inFile == FromDefault:
		return "", nil
	case direct == inFile:
		return "", fmt.Errorf("--%s and --%s are both given; give one", flag, file)
	case direct < inFile:
		token := cmd.String(flag)
		if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return "", fmt.Errorf("--%s holds what no token does: white space, or a character outside ASCII", flag)
		}
		return token, nil
	default:
		return ReadTokenFile(cmd.String(file))
	}
}
