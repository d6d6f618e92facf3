package present

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Timeline writes the changes of a job: when each was, how long the job was in the
// new state before the next one, which worker was concerned, and why.
func Timeline(w io.Writer, job *switchyardv1.Job) error {
	history := job.GetHistory()
	if len(history) == 0 {
		return nil
	}
	rows := append(make([][]string, 0, 1+len(history)), []string{"TIME", "FOR", "EVENT", stateColumn, "WORKER", "WHY"})
	for i, entry := range history {
		if i == int(job.GetHistoryHead()) && job.GetHistoryDropped() > 0 {
			rows = append(rows, []string{
				none, none, fmt.Sprintf("%d changes are left out", job.GetHistoryDropped()), none, none, none,
			})
		}
		lasted := none
		if i+1 < len(history) {
			lasted = history[i+1].GetAt().AsTime().Sub(entry.GetAt().AsTime()).Round(time.Millisecond).String()
		}
		rows = append(rows, []string{
			entry.GetAt().AsTime().Local().Format("15:04:05.000"), lasted, EventWords(entry.GetEvent()),
			JobState(entry.GetTo()), cell(entry.GetWorkerName()), cell(entry.GetReason()),
		})
	}
	if err := write(w, []byte("\n")); err != nil {
		return err
	}
	return table(w, rows)
}

// EventWords returns the name of an event in words: "not accepted" for NotAccepted.
func EventWords(name string) string {
	var b strings.Builder
	for i, r := range Safe(name) {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
