package svg

// Color is one color in two variants, for a light page and for a dark one, as
// CSS writes it. The zero value means none.
type Color struct {
	Light, Dark string
}

// Always returns a color that is the same on both pages.
func Always(color string) Color { return Color{color, color} }

// The colors that have the same meaning in every picture. Text in them has a
// contrast of at least 4.5 to 1.
var (
	Paper = Color{"#ffffff", "#0d1117"}
	Ink   = Color{"#1f2328", "#e6edf3"}
	// Quiet is for what stands back: axes, remarks, lines without a meaning.
	Quiet = Color{"#57606a", "#9aa4af"}
	Grid  = Color{"#d0d7de", "#30363d"}
	Lane  = Color{"#f6f8fa", "#161b22"}
	// Work is for jobs and arrivals, Faded for work whose end is unknown.
	Work      = Color{"#1d4ed8", "#2f6feb"}
	Faded     = Color{"#93b4f8", "#1c3a75"}
	FadedLine = Color{"#1d4ed8", "#7aa5ff"}
	// Ping is for pings, Bad for what failed, Away for the time without a
	// control plane.
	Ping = Color{"#6e7781", "#9aa4af"}
	Bad  = Color{"#cf222e", "#ff7b72"}
	Away = Color{"#eac54f", "#bb8009"}
)

// Role is the colors of what belongs to one owner of a worker, or to the change
// between two.
type Role struct {
	// Class is the name of the role in stylesheets.
	Class string
	// Fill and Line draw a box, and Text is the text of the box and of titles.
	Fill, Line, Text Color
	// Label is the text beside a line. Frame and FrameLine draw an area around
	// boxes. Roles without labels or areas have none.
	Label, Frame, FrameLine Color
}

// The roles.
var (
	Stream = Role{
		Class: "stream", Fill: Color{"#dcfce7", "#12402a"}, Line: Color{"#15803d", "#2ea45a"}, Text: Color{"#166534", "#86d9a5"},
		Label: Color{"#15743a", "#56d488"}, Frame: Color{"#f0fdf4", "#0b1f14"}, FrameLine: Color{"#bbf7d0", "#1f4d33"},
	}
	Poller = Role{
		Class: "poller", Fill: Color{"#ffedd5", "#4a2510"}, Line: Color{"#d9480f", "#f0743a"}, Text: Color{"#9a3412", "#f0b283"},
		Label: Color{"#b93a0a", "#ff9d66"}, Frame: Color{"#fff7ed", "#23160c"}, FrameLine: Color{"#fed7aa", "#5c3a1c"},
	}
	Returning = Role{
		Class: "returning", Fill: Color{"#fef9c3", "#3b3a0f"}, Line: Color{"#4d7c0f", "#9bb33a"}, Text: Color{"#365314", "#d9e6a1"},
	}
	Stopped = Role{
		Class: "stopped", Fill: Color{"#f6f8fa", "#21262d"}, Line: Quiet, Text: Ink,
	}
	// Current is the highlighted state.
	Current = Role{
		Class: "current", Fill: Work, Line: Color{"#1e3a8a", "#a5c8ff"}, Text: Always("#ffffff"),
	}
)
