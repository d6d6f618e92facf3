// Package diagram draws the table of package fsm: as Mermaid, as Graphviz DOT,
// as an SVG with a fixed layout, and as a Markdown page with the whole table in
// words. It reads the table and contains no transitions of its own.
//
// All functions are pure: the same table and options give the same bytes in
// every run. They may be called concurrently.
package diagram

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Format is a language to draw in.
type Format string

// The formats.
const (
	// Mermaid is a stateDiagram-v2, which code hosts draw in Markdown.
	Mermaid Format = "mermaid"
	// DOT is a digraph for Graphviz.
	DOT Format = "dot"
	// SVG is a picture that needs no other program. It follows the reader's
	// light or dark colors.
	SVG Format = "svg"
	// Markdown is the whole machine on a page, with its picture in Mermaid.
	Markdown Format = "markdown"
)

// Formats returns every format.
func Formats() []Format { return []Format{Mermaid, DOT, SVG, Markdown} }

// ParseFormat returns the format with that name. The error lists all formats.
func ParseFormat(name string) (Format, error) {
	if f := Format(name); slices.Contains(Formats(), f) {
		return f, nil
	}
	names := make([]string, len(Formats()))
	for i, f := range Formats() {
		names[i] = string(f)
	}
	return "", fmt.Errorf("no format %q: it must be one of %s", name, strings.Join(names, ", "))
}

// Options select what a picture shows besides the states and the transitions
// between them. The zero value is the overview, in which a short caption stands
// for all rows of the table between two states. Markdown always lists every row,
// and applies the options to its picture.
type Options struct {
	// Highlight is the state to show as the current one; fsm.Initial for none.
	Highlight fsm.State
	// SelfLoops shows the transitions that stay in their state.
	SelfLoops bool
	// Guards shows the event and guard of each row instead of the captions. In
	// SVG they are in a legend under the picture.
	Guards bool
	// Effects shows the event and actions of each row, in the same places.
	Effects bool
}

// rowByRow reports whether rows are shown one by one, without captions.
func (o Options) rowByRow() bool { return o.Guards || o.Effects }

// Write draws the machine to w. It returns an error if w does, or if the format
// is unknown.
func Write(w io.Writer, format Format, o Options) error {
	var page bytes.Buffer
	edges := edgesOf(fsm.Rows(), o)
	switch format {
	case Mermaid:
		writeMermaid(&page, edges, o)
	case DOT:
		writeDOT(&page, edges, o)
	case SVG:
		page.Write(drawSVG(edges, o))
	case Markdown:
		writeMarkdown(&page, edges, o)
	default:
		_, err := ParseFormat(string(format))
		return err
	}
	if _, err := page.WriteTo(w); err != nil {
		return fmt.Errorf("writing the diagram: %w", err)
	}
	return nil
}
