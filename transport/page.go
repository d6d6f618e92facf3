package transport

import (
	"bytes"
	"html"
	"regexp"
)

var (
	pageTitle = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title`)
	// What of a page no reader sees: scripts, styles, comments and tags.
	pageHidden = regexp.MustCompile(`(?is)<script.*?</script[^>]*>|<style.*?</style[^>]*>|<!--.*?-->|<[^>]*>?`)
)

// isPage tells a page that was made for a browser from an answer.
func isPage(body []byte) bool {
	byteOrderMark := []byte("\xef\xbb\xbf")
	return bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(body, byteOrderMark), " \t\r\n"), []byte("<"))
}

// describePage says in one line what a page is about: its title or, without
// one, what a reader would see of it. It says nothing on its own account, so
// that whoever made the page up can be found.
func describePage(body []byte) string {
	body = body[:min(len(body), maxErrorBody)]
	words := ""
	if title := pageTitle.FindSubmatch(body); title != nil {
		words = readable(title[1])
	}
	if words == "" {
		words = readable(body)
	}
	if words == "" {
		return "HTML page without words"
	}
	return "HTML page: " + words
}

func readable(markup []byte) string {
	return oneLine(html.UnescapeString(string(pageHidden.ReplaceAll(markup, []byte(" ")))))
}
