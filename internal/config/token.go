package config

import (
	"bytes"
	"fmt"
	"os"
)

// maxTokenFile bounds a file that was named by mistake.
const maxTokenFile = 4096

// ReadTokenFile reads a token from a file that holds the token and white space
// around it. Its errors name the file and never show its content.
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
