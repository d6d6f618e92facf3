package fsm

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// hashBytes is how much of the digest names a version of the table: 64 bits
// tell apart more versions than there will ever be.
const hashBytes = 8

// TableHash names this version of the machine's table: the HashRows of Rows.
func TableHash() string { return HashRows(table) }

// HashRows names a version of a table, in 16 hexadecimal digits. The name is
// the same in every run and on every machine, and another one when a row comes,
// goes or moves, or when its states, event, guard name or actions change. What
// stands behind the name of a guard or an action is code, and not in it.
func HashRows(rows []Row) string {
	var text strings.Builder
	for i := range rows {
		r := &rows[i]
		// No name holds a tab or a line's end, so that no two tables have one text.
		for _, field := range []string{r.From.String(), r.On.String(), r.When.Name, r.To.String()} {
			text.WriteString(field)
			text.WriteByte('\t')
		}
		for _, action := range r.Do {
			text.WriteString(action.Name)
			text.WriteByte('\t')
		}
		text.WriteByte('\n')
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:hashBytes])
}
