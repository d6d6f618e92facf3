package svg

import (
	"fmt"
	"strings"
)

// Rule is a rule of a stylesheet. Colors that are zero are left out.
type Rule struct {
	Selector     string
	Fill, Stroke Color
	// Other is all that does not depend on the page, such as "stroke-width:2".
	Other string
}

// Stylesheet returns the rules as CSS, and the dark variants of their colors
// for readers who prefer a dark page. It begins with rules for text of the given
// size and for the paper. No font is fetched.
func Stylesheet(textSize int, rules ...Rule) string {
	rules = append([]Rule{
		{"text", Ink, Color{}, fmt.Sprintf(`font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;font-size:%dpx`, textSize)},
		{"." + paperClass, Paper, Color{}, ""},
	}, rules...)
	var light, dark strings.Builder
	for _, r := range rules {
		writeRule(&light, r.Selector, r.Other, r.Fill.Light, r.Stroke.Light)
		writeRule(&dark, r.Selector, "", different(r.Fill), different(r.Stroke))
	}
	return light.String() + "@media (prefers-color-scheme:dark){\n" + dark.String() + "}\n"
}

// different returns the dark variant of a color, or "" if it is the light one.
func different(c Color) string {
	if c.Dark == c.Light {
		return ""
	}
	return c.Dark
}

func writeRule(css *strings.Builder, selector, other, fill, stroke string) {
	var declarations []string
	for _, d := range []struct{ property, value string }{{"fill:", fill}, {"stroke:", stroke}, {"", other}} {
		if d.value != "" {
			declarations = append(declarations, d.property+d.value)
		}
	}
	if len(declarations) > 0 {
		fmt.Fprintf(css, "%s{%s}\n", selector, strings.Join(declarations, ";"))
	}
}
