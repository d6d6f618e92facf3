// Package svg writes pictures as SVG: the palette, the stylesheet and the few
// elements that the pictures of this project share. A picture follows the
// reader's wish for a light or a dark page, and needs no other file.
package svg

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
	"unicode"
)

const paperClass = "paper"

// Anchors of a text: which of its points is at its coordinates.
const (
	Start  = "start"
	Middle = "middle"
	End    = "end"
)

// Head describes a picture.
type Head struct {
	Width, Height int
	// Title and Description are for readers who cannot see the picture.
	Title, Description string
	// Style is a stylesheet; see Stylesheet.
	Style string
	// Defs are definitions such as markers, as SVG.
	Defs string
}

// Picture is a picture in the making. All texts are escaped. Coordinates are
// written to a tenth of a unit.
type Picture struct {
	out bytes.Buffer
}

// New returns a picture with its head and its paper. Finish ends it.
func New(h Head) *Picture {
	p := &Picture{}
	fmt.Fprintf(&p.out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-labelledby="switchyard-title switchyard-desc">
<title id="switchyard-title">%s</title>
<desc id="switchyard-desc">%s</desc>
<style>
%s</style>
`, h.Width, h.Height, escape(h.Title), escape(h.Description), h.Style)
	if h.Defs != "" {
		fmt.Fprintf(&p.out, "<defs>\n%s</defs>\n", h.Defs)
	}
	p.Rect(paperClass, Box{Width: float64(h.Width), Height: float64(h.Height), Radius: 12}, "")
	return p
}

// Finish ends the picture and returns it. The picture must not be used again.
func (p *Picture) Finish() []byte {
	p.out.WriteString("</svg>\n")
	return p.out.Bytes()
}

// Group begins a group with a class and a tooltip; either may be empty.
func (p *Picture) Group(class, tip string) {
	if class != "" {
		class = ` class="` + class + `"`
	}
	p.out.WriteString("<g" + class + ">" + title(tip) + "\n")
}

// EndGroup ends the last group.
func (p *Picture) EndGroup() { p.out.WriteString("</g>\n") }

// Text writes a text; the anchor is the point of it that is at x and y.
func (p *Picture) Text(class string, x, y float64, anchor, text string) {
	p.element("text", escape(text), "class", class, "x", Number(x), "y", Number(y), "text-anchor", anchor)
}

// Box is a rectangle. A radius rounds its corners.
type Box struct {
	X, Y, Width, Height, Radius float64
}

// Rect draws a rectangle with a tooltip, which may be empty.
func (p *Picture) Rect(class string, b Box, tip string) {
	radius := ""
	if b.Radius > 0 {
		radius = Number(b.Radius)
	}
	p.element("rect", title(tip), "class", class,
		"x", Number(b.X), "y", Number(b.Y), "width", Number(b.Width), "height", Number(b.Height), "rx", radius)
}

// Circle draws a circle.
func (p *Picture) Circle(class string, x, y, radius float64) {
	p.element("circle", "", "class", class, "cx", Number(x), "cy", Number(y), "r", Number(radius))
}

// Path draws a path with a tooltip, which may be empty.
func (p *Picture) Path(class, path, tip string) {
	p.element("path", title(tip), "class", class, "d", path)
}

// Arrow draws a path that ends in a marker, which is named by its ID.
func (p *Picture) Arrow(class, path, marker string) {
	p.element("path", "", "class", class, "d", path, "marker-end", "url(#"+marker+")")
}

// element writes an element with its content, and with attributes, which are
// pairs of a name and a value. Empty values are left out.
func (p *Picture) element(name, content string, attributes ...string) {
	p.out.WriteString("<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		if attributes[i+1] != "" {
			p.out.WriteString(" " + attributes[i] + `="` + attributes[i+1] + `"`)
		}
	}
	if content == "" {
		p.out.WriteString("/>\n")
		return
	}
	p.out.WriteString(">" + content + "</" + name + ">\n")
}

func title(tip string) string {
	if tip == "" {
		return ""
	}
	return "<title>" + escape(tip) + "</title>"
}

// Number returns a coordinate as SVG writes it, rounded to a tenth.
func Number(f float64) string {
	const tenths = 10
	return strconv.FormatFloat(math.Floor(f*tenths+0.5)/tenths, 'f', -1, 64)
}

// escape makes any text fit for XML, which does not allow control characters.
func escape(s string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) && r != '\n' && r != '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, s))
}
