package httpclient

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/internal/httpclient/pick"
)

// TestEndpoints notes what calls to the endpoints a, b and c have shown, and checks the
// order in which they are tried after that.
func TestEndpoints(t *testing.T) {
	type noted struct {
		after    time.Duration
		endpoint string
		event    pick.Event
	}
	rows := []struct {
		name  string
		first int
		noted []noted
		after time.Duration
		want  string
	}{
		{"in the given order", 0, nil, 0, "a b c"},
		{"beginning elsewhere", 1, nil, 0, "b c a"},
		{"the one in use fails", 0, []noted{{0, "a", pick.Failed}}, 0, "b c a"},
		{"what was moved to stays in use", 0, []noted{{0, "a", pick.Failed}}, time.Hour, "b c a"},
		{"another one fails", 0, []noted{{0, "b", pick.Failed}}, 0, "a c b"},
		{"all fail, one returns", 0, []noted{
			{0, "a", pick.Failed}, {time.Second, "b", pick.Failed}, {time.Second, "c", pick.Failed}, {time.Second, "b", pick.Succeeded},
		}, 0, "b a c"},
		{"a late success of the one that was left", 0, []noted{{0, "a", pick.Left}, {time.Second, "a", pick.Succeeded}}, 0, "b c a"},
		{"all fail: they take turns", 0, []noted{
			{0, "a", pick.Failed}, {time.Second, "b", pick.Failed}, {time.Second, "c", pick.Failed},
		}, 0, "a b c"},
		{"unknown", 0, []noted{{0, "x", pick.Failed}}, 0, "a b c"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var all []Endpoint
				byName := map[string]Endpoint{}
				for name := range strings.FieldsSeq("a b c x") {
					endpoint, err := ParseEndpoint("http://" + name)
					if err != nil {
						t.Fatal(err)
					}
					byName[name] = endpoint
					if name != "x" {
						all = append(all, endpoint)
					}
				}
				endpoints := NewEndpoints(all, row.first)
				for _, n := range row.noted {
					time.Sleep(n.after)
					before := endpoints.Current()
					current, changed := endpoints.Note(byName[n.endpoint], n.event)
					if changed != (current != before) || current != endpoints.Current() {
						t.Errorf("%s %v: from %v to %v, changed: %t", n.endpoint, n.event, before, current, changed)
					}
				}
				time.Sleep(row.after)
				var got []string
				for _, endpoint := range endpoints.All() {
					got = append(got, strings.TrimPrefix(endpoint.String(), "http://"))
				}
				if text := strings.Join(got, " "); text != row.want {
					t.Errorf("got %s, want %s", text, row.want)
				}
			})
		})
	}
}
