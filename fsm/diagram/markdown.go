package diagram

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
)

// command rewrites the page, and is printed on it.
const command = ".ci/generate"

const intro = `# The states of a worker

<!-- Generated from the table in package fsm. Do not edit: change the table, and run
     %[1]s -->

A **worker** takes jobs from a **control plane** and runs them, one at a time. It holds a **stream** open, over which
the control plane sends instructions as soon as there are any. While the stream is not healthy the worker **polls**: it
sends a **ping**, one request that asks for an instruction, and another one after an interval. When the stream is healthy
again it takes control back, but never during a ping or a job.

One finite-state machine decides all of this, and this page is its complete description. It is generated from the table
that workers run on, version ` + "`%[2]s`" + `, with %[3]d [rows](#transitions). After a change of the table, rewrite the page with

` + "```sh\n%[1]s\n```" + `

## The picture

Green: the stream is in control. Orange: the poller is in control. Yellow: the poller is in control, and the stream takes
over next. A transition summarizes all rows of the table between its two states.%[4]s

`

func writeMarkdown(page *bytes.Buffer, edges []edge, o Options) {
	rows := fsm.Rows()
	loops := ""
	if !o.SelfLoops {
		loops = " Rows that stay in their state are left out."
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

An [event](#events) first changes what the worker knows: whether the stream is up, whether the worker is paused, whether
it must leave. That is the same in every state. Then the worker looks up the event in the table of its state, and takes
the first row whose [guard](#guards) holds; conditions separated by commas must hold together. A row has the next state,
and the [actions](#actions) to take, in order. A job that is offered while another one is in hand, or during a pause,
waits in the **mailbox** until it is started, or until the connection that offered it ends.

`

func writeTransitions(page *bytes.Buffer, rows []fsm.Row) {
	page.WriteString(transitionsIntro)
	for _, s := range fsm.States() {
		of := rowsFrom(rows, s)
		if len(of) == 0 {
			continue
		}
		fmt.Fprintf(page, "### %s\n\n%s\n\n", headingOf(s), capitalized(s.Meaning()))
		page.WriteString("| event | guard | next state | actions |\n|---|---|---|---|\n")
		for i := range of {
			r := &of[i]
			event := ""
			if i == 0 || of[i-1].On != r.On {
				event = "`" + r.On.String() + "`"
			}
			fmt.Fprintf(page, "| %s | %s | %s | %s |\n",
				event, cell(r.When.Name), target(r), cell(actionNames(r)))
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
	if r.To == r.From {
		return "(stays)"
	}
	return "**" + r.To.String() + "**"
}

const ignoredIntro = `## Ignored events

An event that a state ignores changes nothing. In every state, an event about a connection, a ping or a job that is over
is ignored too: it carries the number of its connection or ping, or the ID of its job.

| state | events | reason |
|---|---|---|
`

func writeIgnored(page *bytes.Buffer, rows []fsm.Row, pairs []fsm.Ignored) {
	page.WriteString(ignoredIntro)
	for _, s := range fsm.States() {
		of := rowsFrom(rows, s)
		var reasons []string
		events := map[string][]string{} // by reason
		for _, p := range pairs {
			if p.From != s {
				continue
			}
			if events[p.Why] == nil {
				reasons = append(reasons, p.Why)
			}
			event := "`" + p.On.String() + "`"
			if slices.ContainsFunc(of, func(r fsm.Row) bool { return r.On == p.On }) {
				event += " (when no guard above holds)"
			}
			events[p.Why] = append(events[p.Why], event)
		}
		for _, why := range reasons {
			text := strings.Join(events[why], ", ")
			switch s { //nolint:exhaustive // the pseudo-states ignore almost everything
			case fsm.Initial:
				text = "every event except `" + fsm.Started.String() + "`"
			case fsm.Stopped:
				text = "every event"
			}
			fmt.Fprintf(page, "| `%s` | %s | %s |\n", s, text, cell(why))
		}
	}
	page.WriteString("\n")
}

const eventsIntro = `## Events

The names of messages of the stream begin with Received, and those of answers to a ping with Answered.

`

const guardsIntro = `
## Guards

A row without a guard always holds. Some conditions depend on the worker's mode, the ways by which it gets work. The
usual mode is auto: by the stream, and by polling while the stream is not healthy.

`

const actionsIntro = `
## Actions

A row without actions changes only the state, or only what the worker knows.

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

// cell escapes a text for a cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// capitalized returns a text with a capital letter and a full stop.
func capitalized(s string) string {
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:] + "."
}
