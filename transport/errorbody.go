package transport

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxErrorBody is how much of the body of an unsuccessful answer is read.
	maxErrorBody = 16 << 10
	// maxMessage is how much of it is kept for people, in bytes.
	maxMessage = 240
)

// parseErrorBody finds the message in the body of an unsuccessful answer. The
// control plane says {"message": "..."}; anything else is quoted, or described
// if it is an HTML page, and is not its own word. The message is one line.
func parseErrorBody(body []byte) (message string, fromControlPlane bool) {
	var answer struct {
		Message string `json:"message"`
	}
	if err := json.Unmarshal(body, &answer); err == nil {
		if line := oneLine(answer.Message); line != "" {
			return line, true
		}
	}
	if isPage(body) {
		return describePage(body), false
	}
	return oneLine(string(body)), false
}

// oneLine folds white space and control characters into single spaces and
// cuts what is too long for a log line.
func oneLine(text string) string {
	var line strings.Builder
	gap := false
	for _, r := range text {
		if unicode.IsSpace(r) || !unicode.IsGraphic(r) || r == utf8.RuneError {
			gap = line.Len() > 0
			continue
		}
		if line.Len() >= maxMessage {
			line.WriteString("...")
			break
		}
		if gap {
			line.WriteByte(' ')
			gap = false
		}
		line.WriteRune(r)
	}
	return line.String()
}

// withoutSecret removes a token that an answer repeats.
func withoutSecret(text, token string) string {
	if token == "" {
		return text
	}
	return strings.ReplaceAll(text, token, "[token]")
}
