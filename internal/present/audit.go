package present

import (
	"io"
	"strings"
	"time"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Audit writes a table of audit events.
func Audit(w io.Writer, events []*switchyardv1.AuditEvent, _ time.Time) error {
	rows := append(make([][]string, 0, 1+len(events)), []string{"TIME", "ACTION", "BY", "FROM", "TARGET", "DETAIL"})
	for _, event := range events {
		target := strings.TrimSpace(event.GetTargetKind() + " " + event.GetTargetName())
		target = strings.TrimSpace(target + " " + event.GetTargetId())
		rows = append(rows, []string{
			moment(event.GetAt()), cell(event.GetAction()), cell(event.GetActor()), cell(event.GetAddress()),
			cell(target), cell(event.GetDetail()),
		})
	}
	return table(w, rows)
}
