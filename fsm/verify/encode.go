package verify

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
)

// The forms of a report and its parts for programs.
type (
	wireReport struct {
		Table           string          `json:"table"`
		OK              bool            `json:"ok"`
		Bounds          wireBounds      `json:"bounds"`
		Runs            []wireRun       `json:"runs"`
		States          int             `json:"states"`
		Transitions     int             `json:"transitions"`
		Seconds         float64         `json:"seconds"`
		StatesPerSecond int             `json:"statesPerSecond"`
		Rows            []wireRow       `json:"rows"`
		AllModes        bool            `json:"allModes"` // without, a row never taken is no finding
		NeverTaken      []wireRow       `json:"neverTaken"`
		Violations      []wireViolation `json:"violations"`
	}
	wireBounds struct {
		Jobs     uint8 `json:"jobs"`
		InFlight uint8 `json:"inFlight"`
		Losses   uint8 `json:"losses"` // 0 is any number, here and below
		Pauses   uint8 `json:"pauses"`
	}
	wireRun struct {
		Worker      string  `json:"worker"`
		Mode        string  `json:"mode"`
		OneJob      bool    `json:"oneJob"`
		States      int     `json:"states"`
		Transitions int     `json:"transitions"`
		Depth       int     `json:"depth"`
		Situations  int     `json:"situations"`
		Seconds     float64 `json:"seconds"`
	}
	wireRow struct {
		From       string   `json:"from"`
		Event      string   `json:"event"`
		Guard      string   `json:"guard,omitempty"`
		To         string   `json:"to"`
		Situations int      `json:"situations"`
		Modes      []string `json:"modes"`
	}
	wireViolation struct {
		Worker   string `json:"worker"`
		Property string `json:"property"`
		Script   string `json:"script"`
	}
)

// MarshalJSON gives the report for programs: all of it, every list there even if
// it is empty.
func (r *Report) MarshalJSON() ([]byte, error) {
	states, transitions := r.States()
	w := wireReport{
		Table: r.Table, OK: r.OK(), Bounds: wireBounds(r.Bounds), States: states, Transitions: transitions,
		Seconds: r.Elapsed.Seconds(), StatesPerSecond: r.perSecond(), AllModes: r.allModes(),
		Runs: make([]wireRun, len(r.Runs)), Rows: make([]wireRow, len(r.Rows)),
		NeverTaken: []wireRow{}, Violations: make([]wireViolation, len(r.Violations)),
	}
	for i := range r.Runs {
		n := &r.Runs[i]
		w.Runs[i] = wireRun{
			Worker: name(n.Config), Mode: n.Config.Mode.String(), OneJob: n.Config.RetireAfterJob, States: n.States,
			Transitions: n.Transitions, Depth: n.Depth, Situations: n.Situations, Seconds: n.Elapsed.Seconds(),
		}
	}
	for i := range r.Rows {
		w.Rows[i] = r.Rows[i].wire()
		if w.AllModes && r.Rows[i].Situations == 0 {
			w.NeverTaken = append(w.NeverTaken, w.Rows[i])
		}
	}
	for i, v := range r.Violations {
		w.Violations[i] = wireViolation{name(v.Config), v.Property, v.Script}
	}
	text, err := json.Marshal(&w)
	if err != nil {
		return nil, fmt.Errorf("encoding the report: %w", err)
	}
	return text, nil
}

func (u *RowUse) wire() wireRow {
	return wireRow{
		From: u.Row.From.String(), Event: u.Row.On.String(), Guard: u.Row.When.Name, To: u.Row.To.String(),
		Situations: u.Situations, Modes: modeNames(u.Modes),
	}
}

func modeNames(modes []fsm.Mode) []string {
	names := make([]string, len(modes))
	for i, m := range modes {
		names[i] = m.String()
	}
	return names
}

// FileName is what the file of a violation's script is called: the property and
// the kind of worker, in letters, digits and underscores. It is the same each
// time, and another one for each violation of a report.
func (v *Violation) FileName() string {
	words := strings.FieldsFunc(strings.ToLower(v.Property+" "+name(v.Config)), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return strings.Join(words, "_") + ".txt"
}
