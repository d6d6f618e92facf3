package logview

import "html/template"

// Shown is a line as a page shows it.
type Shown struct {
	Number int           `json:"n"`
	HTML   template.HTML `json:"html"`
}

// Show renders a line.
func Show(line Line) Shown { return Shown{line.Number, HTML(line)} }
