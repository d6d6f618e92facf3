package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// maxBody bounds the body of a success, after decompression. The environment
	// of a job is the largest part of one.
	maxBody = 16 << 20
	// maxErrorBody bounds what is read of the body of another response.
	maxErrorBody = 16 << 10
	// maxMessage bounds a message for people, in bytes.
	maxMessage = 240
)

// decode reads the JSON object of a success into a pointer. What the pointer
// held before is cleared.
func decode(body []byte, into any) error {
	reflect.ValueOf(into).Elem().SetZero()
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(body) > maxBody:
		return undecodableError("longer than %d bytes", maxBody)
	case len(trimmed) == 0:
		return undecodableError("it is empty")
	case isHTML(body):
		return undecodableError("it is an %s", describeHTML(body))
	case trimmed[0] != '{':
		return undecodableError("it is not a JSON object")
	}
	err := json.Unmarshal(body, into)
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		// The error of encoding/json may repeat the value, which may be a token.
		err = fmt.Errorf("%q is not a JSON %s", mistyped.Field, mistyped.Type)
	}
	if err != nil {
		return undecodableError("%w", err)
	}
	return nil
}

// undecodableError returns the error of a success whose body cannot be used.
func undecodableError(format string, values ...any) error {
	err := fmt.Errorf("%w: "+format, append([]any{ErrUndecodable}, values...)...)
	return &failure{kind: undecodable, err: err}
}

// statusError reads a response that is not a success.
func statusError(response *http.Response, token string) *StatusError {
	// A body that ends early is quoted as far as it was received.
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
	// The token is removed before the text is cut, which could leave a part of it.
	message, own := parseErrorBody([]byte(withoutSecret(string(body), token)))
	return &StatusError{
		Code:             response.StatusCode,
		Message:          withoutSecret(message, token),
		FromControlPlane: own,
		Revoked:          own && response.StatusCode == http.StatusUnauthorized && response.Header.Get(wire.HeaderRevoked) != "",
		RetryAfter:       retryAfterOf(response.Header),
	}
}

// parseErrorBody returns the message in the body of a response that is not a
// success, in one line, and whether it is the control plane's own
// ({"message": "..."}). Any other body is quoted, or described if it is HTML.
func parseErrorBody(body []byte) (message string, fromControlPlane bool) {
	var response wire.ErrorResponse
	if err := json.Unmarshal(body, &response); err == nil {
		if line := oneLine(response.Message); line != "" {
			return line, true
		}
	}
	if isHTML(body) {
		return describeHTML(body), false
	}
	return oneLine(string(body)), false
}

// oneLine replaces white space and control characters by single spaces and cuts
// what is too long for a log line.
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

// withoutSecret replaces a token that a response repeats.
func withoutSecret(text, token string) string {
	if token == "" {
		return text
	}
	return strings.ReplaceAll(text, token, "[token]")
}

var (
	htmlTitle = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title`)
	// htmlHidden matches what a reader of a page does not see: scripts, styles,
	// comments and tags.
	htmlHidden = regexp.MustCompile(`(?is)<script.*?</script[^>]*>|<style.*?</style[^>]*>|<!--.*?-->|<[^>]*>?`)
)

// isHTML reports whether a body is a page for a browser, usually of a proxy.
func isHTML(body []byte) bool {
	byteOrderMark := []byte("\xef\xbb\xbf")
	return bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(body, byteOrderMark), " \t\r\n"), []byte("<"))
}

// describeHTML returns the title of a page or, without one, its visible text, in
// one line, so that the sender of the page can be found.
func describeHTML(body []byte) string {
	body = body[:min(len(body), maxErrorBody)]
	text := ""
	if title := htmlTitle.FindSubmatch(body); title != nil {
		text = visibleText(title[1])
	}
	if text == "" {
		text = visibleText(body)
	}
	if text == "" {
		return "HTML page without text"
	}
	return "HTML page: " + text
}

func visibleText(markup []byte) string {
	return oneLine(html.UnescapeString(string(htmlHidden.ReplaceAll(markup, []byte(" ")))))
}
