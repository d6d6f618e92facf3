package diagram

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
)

// command writes the page; it stands on the page.
const command = "go run ./cmd/switchyard fsm diagram --format markdown > states.md"

const intro = `# The states of a worker

<!-- Generated from the table in package fsm. Do not edit: change the table, and run
     %[1]s -->

A **worker** takes jobs from a **control plane** and runs them, one at a time. It holds a **stream** open, over which
the control plane sends it instructions the moment there are any. While the stream is not well the worker **polls**: it
sends a **ping**, one request that asks for an instruction, and another after an interval. When the stream is well again
it takes control back, but never in the middle of a ping or a job.

One finite-state machine decides all of that, and this page is the whole of it. It is drawn from the table that workers
run on, version ` + "`%[2]s`" + `: the %[3]d rows of it are [below](#transitions).

This page is generated; after a change of the table, write it anew with

` + "```sh\n%[1]s\n```" + `

## The picture

In green: the stream is in control. In orange: the poller is. In yellow: the way back from the one to the other. A
transition stands for all rows of the table between its two states, in a few words.%[4]s

`

func writeMarkdown(page *bytes.Buffer, edges []edge, o Options) {
	rows := fsm.Rows()
	loops := ""
	if !o.SelfLoops {
		loops = " Rows that stay in their state are left out here."
	}
	fmt.Fprintf(page, intro, command, fsm.TableHash(), len(rows), loops)
	page.WriteString("```mermaid\n")
	writeMermaid(page, edges, o)
	page.WriteString("```\n\n")

	writeStates(page)
	writeTransitions(page, rows)
	writeIgnored(page, rows, fsm.IgnoredPairs())
	writeWords(page)
}

func writeStates(page *bytes.Buffer) {
	page.WriteString("## States\n\n| state | meaning |\n|---|---|\n")
	for _, s := range fsm.States() {
		if s == fsm.Initial {
			continue
		}
		fmt.Fprintf(page, "| `%s` | %s |\n", s, cell(s.Meaning()))
	}
	page.WriteString("\n")
}

const transitionsIntro = `## Transitions

When an [event](#events) comes, the worker first notes what it says: whether the stream is up, whether it is paused,
whether it is to leave. That is the same in every state. Then it looks for the event in the table of its state, and
takes the first row whose [guard](#guards) holds; conditions with a comma between them must hold together. A row says
which state comes next, and which [actions](#actions) are taken, in their order. A job that is named while another is in
hand, or during a pause, waits in the **mailbox**, until it is started, or until the connection that named it ends.

`

func writeTransitions(page *bytes.Buffer, rows []fsm.Row) {
	page.WriteString(transitionsIntro)
	for _, s := range fsm.States() {
		of := rowsFrom(rows, s)
		if len(of) == 0 {
			continue
		}
		fmt.Fprintf(page, "### %s\n\n%s\n\n", headingOf(s), sentence(s.Meaning()))
		page.WriteString("| event | guard | next state | actions |\n|---|---|---|---|\n")
		for i := range of {
			r := &of[i]
			event := ""
			if i == 0 || of[i-1].On != r.On {
				event = "`" + r.On.String() + "`"
			}
			fmt.Fprintf(page, "| %s | %s | %s | %s |\n",
				event, cell(r.When.Name), target(r), cell(strings.Join(actionNames(r), ", ")))
		}
		page.WriteString("\n")
	}
}

func rowsFrom(rows []fsm.Row, s fsm.State) []fsm.Row {
	var of []fsm.Row
	for _, r := range rows {
		if r.From == s {
			of = append(of, r)
		}
	}
	return of
}

func headingOf(s fsm.State) string {
	if s == fsm.Initial {
		return "Start"
	}
	return "From " + s.String()
}

func target(r *fsm.Row) string {
	switch r.To {
	case r.From:
		return "(stays)"
	default:
		return "**" + r.To.String() + "**"
	}
}

const ignoredIntro = `## Ignored events

What a state does not answer changes nothing, and here is why. Besides, in every state, an event about a connection, a
ping or a job that is over is ignored: each carries the number of its connection or ping, or the id of its job, by which
it is known.

| state | events | why they are ignored |
|---|---|---|
`

func writeIgnored(page *bytes.Buffer, rows []fsm.Row, pairs []fsm.Ignored) {
	page.WriteString(ignoredIntro)
	for _, s := range fsm.States() {
		whys := reasons(pairs, s)
		for _, why := range whys {
			events := ignoredEvents(rows, pairs, s, why)
			if len(whys) == 1 && (s == fsm.Initial || s == fsm.Stopped) {
				events = everyEventBut(rowsFrom(rows, s))
			}
			fmt.Fprintf(page, "| `%s` | %s | %s |\n", s, events, cell(why))
		}
	}
	page.WriteString("\n")
}

// reasons returns the reasons of a state's ignored pairs, in their order.
func reasons(pairs []fsm.Ignored, s fsm.State) []string {
	var whys []string
	for _, p := range pairs {
		if p.From == s && !slices.Contains(whys, p.Why) {
			whys = append(whys, p.Why)
		}
	}
	return whys
}

// everyEventBut says shortly what a pseudo-state ignores: all that has no row.
func everyEventBut(rows []fsm.Row) string {
	words := []string{"every event"}
	for i := range rows {
		if i == 0 || rows[i].On != rows[i-1].On {
			words = append(words, "but", "`"+rows[i].On.String()+"`")
		}
	}
	return strings.Join(words, " ")
}

// ignoredEvents returns the events that the state ignores for this reason; one
// for which the state has rows too is ignored when no guard of theirs holds.
func ignoredEvents(rows []fsm.Row, pairs []fsm.Ignored, s fsm.State, why string) string {
	var events []string
	for _, p := range pairs {
		if p.From != s || p.Why != why {
			continue
		}
		event := "`" + p.On.String() + "`"
		if slices.ContainsFunc(rows, func(r fsm.Row) bool { return r.From == s && r.On == p.On }) {
			event += " (when no guard above holds)"
		}
		events = append(events, event)
	}
	return strings.Join(events, ", ")
}

const eventsIntro = `## Events

Those that begin with Received are messages of the stream; those that begin with Answered are answers to a ping.

`

const guardsIntro = `
## Guards

A row without a guard always holds. Three of the conditions ask for the worker's mode, which says by which ways it may
get work. The usual mode is auto: by the stream, and by polling while the stream is not well.

`

const actionsIntro = `
## Actions

A row without actions changes the state, or only what the worker knows.

`

func writeWords(page *bytes.Buffer) {
	page.WriteString(eventsIntro + "| event | meaning |\n|---|---|\n")
	for _, k := range fsm.EventKinds() {
		fmt.Fprintf(page, "| `%s` | %s |\n", k, cell(k.Meaning()))
	}
	page.WriteString(guardsIntro + "| condition | holds when |\n|---|---|\n")
	writeTerms(page, fsm.ConditionTerms())
	page.WriteString(actionsIntro + "| action | what the worker does |\n|---|---|\n")
	writeTerms(page, fsm.ActionTerms())
}

func writeTerms(page *bytes.Buffer, terms []fsm.Term) {
	for _, t := range terms {
		fmt.Fprintf(page, "| %s | %s |\n", cell(t.Name), cell(t.Meaning))
	}
}

// cell is text in a table's cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// sentence begins with a capital letter and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
