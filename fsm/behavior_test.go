package fsm

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite testdata/behavior.txt instead of comparing with it")

// behaviorFile holds a digest of what the table answers, a line for each pair
// of a state and an event. It is made of names, and does not change when values
// of an enumeration move.
const behaviorFile = "testdata/behavior.txt"

// TestBehavior compares the answers of the table, over every state, event and
// combination of facts, with those of the commit that wrote behaviorFile: the
// next state, the facts afterwards, the effects, and whether the event is
// ignored. A change of a row shows as a changed line.
func TestBehavior(t *testing.T) {
	t.Parallel()
	answers := map[string][]string{}
	for _, s := range States() {
		combinations(func(facts *Facts, ev Event) {
			pair := s.String() + " " + ev.Kind.String()
			to, after, effects, d := Advance(s, facts, ev)
			answer := fmt.Sprintf("%s, %v: %v, ignored=%t, %s, %s",
				namedFacts(facts), ev, to, d.Row == nil, namedFacts(&after), namedEffects(effects))
			answers[pair] = append(answers[pair], answer)
		})
	}
	var text strings.Builder
	pairs := make([]string, 0, len(answers))
	for pair := range answers {
		pairs = append(pairs, pair)
	}
	slices.Sort(pairs)
	for _, pair := range pairs {
		slices.Sort(answers[pair])
		sum := sha256.Sum256([]byte(strings.Join(answers[pair], "\n")))
		fmt.Fprintf(&text, "%-36s %6d %s\n", pair, len(answers[pair]), hex.EncodeToString(sum[:hashBytes]))
	}
	if *update {
		if err := os.WriteFile(behaviorFile, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(behaviorFile)
	if err != nil {
		t.Fatal(err)
	}
	wanted := strings.Split(string(want), "\n")
	for line := range strings.SplitSeq(text.String(), "\n") {
		if !slices.Contains(wanted, line) {
			t.Errorf("the table answers otherwise: %s", line)
		}
	}
	if text.String() != string(want) && !t.Failed() {
		t.Errorf("%s has lines that the table does not: rewrite it with go test ./fsm -run TestBehavior -update", behaviorFile)
	}
}

func namedFacts(f *Facts) string {
	return fmt.Sprintf("mode=%v after=%t stream=%v connection=%d paused=%t leaving=%v retiring=%v idle=%t job=%s ping=%d pinging=%t old=%t mailbox=%v seen=%v",
		f.Mode, f.RetireAfterJob, f.Stream, f.Connection, f.Paused, f.Leaving, f.Retiring, f.IdleExpired, f.Job, f.Ping, f.Pinging, f.PingIsOld,
		f.Mailbox.IDs(), f.Seen.IDs())
}

func namedEffects(effects []Effect) string {
	texts := make([]string, len(effects))
	for i, e := range effects {
		texts[i] = fmt.Sprintf("%v epoch=%d job=%s reason=%v", e.Kind, e.Epoch, e.Job, e.Reason)
	}
	return strings.Join(texts, "; ")
}
