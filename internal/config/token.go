package config

import (
	"fmt"
	"strings"
)

const (
	// maxTokenFile bounds a file that was named by mistake, in bytes.
	maxTokenFile = 4096
	// MaxTokenLines is how many tokens a file may hold.
	MaxTokenLines = 8
)

// ReadTokenFile reads the first token of a file: see ReadTokenLines.
func ReadTokenFile(path string) (string, error) {
	lines, err := ReadTokenLines(path)
	if err != nil {
		return "", err
	}
	return lines[0], nil
}

// ReadTokenLines reads a file that holds a token on each line, at most MaxTokenLines and
// at least one. White space around a token and empty lines do not count. The errors name
// the file and never show its content.
func ReadTokenLines(path string) ([]string, error) {
	content, err := readLimited(path, maxTokenFile)
	if err != nil {
		return nil, fmt.Errorf("token file %s: %w", path, err)
	}
	tokens := TokenLines(string(content))
	switch {
	case len(tokens) == 0:
		return nil, fmt.Errorf("token file %s: empty", path)
	case len(tokens) > MaxTokenLines, strings.ContainsAny(strings.Join(tokens, ""), " \t\r"):
		return nil, fmt.Errorf("token file %s: must hold one token on each line, at most %d, and nothing else", path, MaxTokenLines)
	}
	return tokens, nil
}

// TokenLines returns the lines of a token file that are not empty, without the white
// space around each.
func TokenLines(content string) (lines []string) {
	for line := range strings.Lines(content) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
