package svg

// Colour is one colour in two variants, for a light page and for a dark one, as
// CSS writes it. The zero value is no colour.
type Colour struct {
	Light, Dark string
}

// Always returns a colour that is the same on both pages.
func Always(colour string) Colour { return Colour{colour, colour} }

// The colours that have the same meaning in every picture. Text in them has a
// contrast of at least 4.5 to 1.
var (
	Paper = Colour{"#ffffff", "#0d1117"}
	Ink   = Colour{"#1f2328", "#e6edf3"}
	// Quiet is for what stands back: axes, remarks, lines without a meaning.
	Quiet = Colour{"#57606a", "#9aa4af"}
	Grid  = Colour{"#d0d7de", "#30363d"}
	Lane  = Colour{"#f6f8fa", "#161b22"}
	// Work is for jobs and arrivals, Faded for work whose end is unknown.
	Work      = Colour{"#1d4ed8", "#2f6feb"}
	Faded     = Colour{"#93b4f8", "#1c3a75"}
	FadedLine = Colour{"#1d4ed8", "#7aa5ff"}
	// Ping is for pings, Bad for what failed, Away for the time without a
	// control plane.
	Ping = Colour{"#6e7781", "#9aa4af"}
	Bad  = Colour{"#cf222e", "#ff7b72"}
	Away = Colour{"#eac54f", "#bb8009"}
)

// Role is the colours of what belongs to one owner of a worker, or to the change
// between two.
type Role struct {
	// Class is the name of the role in stylesheets.
	Class string
	// Fill and Line draw a box, and Text is the text of the box and of titles.
	Fill, Line, Text Colour
	// Label is the text beside a line. Frame and FrameLine draw an area around
	// boxes. Roles without labels or areas have none.
	Label, Frame, FrameLine Colour
}

// The roles.
var (
	Stream = Role{
		Class: "stream", Fill: Colour{"#dcfce7", "#12402a"}, Line: Colour{"#15803d", "#2ea45a"}, Text: Colour{"#166534", "#86d9a5"},
		Label: Colour{"#15743a", "#56d488"}, Frame: Colour{"#f0fdf4", "#0b1f14"}, FrameLine: Colour{"#bbf7d0", "#1f4d33"},
	}
	Poller = Role{
		Class: "poller", Fill: Colour{"#ffedd5", "#4a2510"}, Line: Colour{"#d9480f", "#f0743a"}, Text: Colour{"#9a3412", "#f0b283"},
		Label: Colour{"#b93a0a", "#ff9d66"}, Frame: Colour{"#fff7ed", "#23160c"}, FrameLine: Colour{"#fed7aa", "#5c3a1c"},
	}
	Returning = Role{
		Class: "returning", Fill: Colour{"#fef9c3", "#3b3a0f"}, Line: Colour{"#4d7c0f", "#9bb33a"}, Text: Colour{"#365314", "#d9e6a1"},
	}
	Stopped = Role{
		Class: "stopped", Fill: Colour{"#f6f8fa", "#21262d"}, Line: Quiet, Text: Ink,
	}
	// Current is the highlighted state.
	Current = Role{
		Class: "current", Fill: Work, Line: Colour{"#1e3a8a", "#a5c8ff"}, Text: Always("#ffffff"),
	}
)
