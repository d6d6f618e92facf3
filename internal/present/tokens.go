package present

import (
	"errors"
	"io"
	"strings"
	"time"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const tokenScopePrefix = "TOKEN_SCOPE_"

// TokenScope returns the name of a scope, such as register.
func TokenScope(scope switchyardv1.TokenScope) string { return word(scope.String(), tokenScopePrefix) }

// ParseTokenScope returns the scope of a name. It returns an error for an unknown one.
func ParseTokenScope(name string) (switchyardv1.TokenScope, error) {
	number := switchyardv1.TokenScope_value[tokenScopePrefix+strings.ToUpper(name)]
	if number == 0 {
		return 0, errors.New("must be register, submit, read or operate")
	}
	return switchyardv1.TokenScope(number), nil
}

// Tokens writes a table of tokens. now is the time for the columns.
func Tokens(w io.Writer, tokens []*switchyardv1.Token, now time.Time) error {
	rows := append(make([][]string, 0, 1+len(tokens)), []string{"ID", "NAME", "SCOPE", "QUEUES", "WORKERS", "AGE", "USED", "ENDS", "BY"})
	for _, token := range tokens {
		queues, workers := none, none
		if len(token.GetQueues()) > 0 {
			queues = Safe(strings.Join(token.GetQueues(), ","))
		}
		if token.GetScope() == switchyardv1.TokenScope_TOKEN_SCOPE_REGISTER {
			workers = Count(int64(token.GetWorkers()))
		}
		rows = append(rows, []string{
			token.GetId(), cell(token.GetName()), TokenScope(token.GetScope()), queues, workers,
			age(now, token.GetCreatedAt()), age(now, token.GetLastUsedAt()), tokenEnd(token, now), cell(token.GetCreatedBy()),
		})
	}
	return table(w, rows)
}

// tokenEnd returns when a token ends, or that it has ended.
func tokenEnd(token *switchyardv1.Token, now time.Time) string {
	switch {
	case token.GetRevokedAt() != nil:
		return "revoked"
	case token.GetReplaced():
		return "replaced"
	case token.GetExpiresAt() == nil:
		return none
	case !now.Before(token.GetExpiresAt().AsTime()):
		return "expired"
	}
	end := token.GetExpiresAt().AsTime().Local()
	if end.Format(time.DateOnly) == now.Local().Format(time.DateOnly) {
		return end.Format(time.TimeOnly)
	}
	return end.Format(time.DateOnly)
}
