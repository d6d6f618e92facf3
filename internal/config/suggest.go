package config

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
)

// suggestion is "; did you mean ...?" for a key that is not known, or where it
// was meant for another section, as the end of a message.
func (r *reader) suggestion(key string) string {
	parent, name := "", key
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		parent, name = key[:i+1], key[i+1:]
	}
	var elsewhere []string
	var siblings []*cli.Command
	for known := range r.lists {
		if strings.HasSuffix("."+known, "."+name) {
			elsewhere = append(elsewhere, known)
		}
		if rest, ok := strings.CutPrefix(known, parent); ok {
			sibling, _, _ := strings.Cut(rest, ".")
			siblings = append(siblings, &cli.Command{Name: sibling})
		}
	}
	if len(elsewhere) > 0 {
		return "; did you mean " + slices.Min(elsewhere) + "?"
	}
	// The order of a map is random; of two keys as near, it must not decide.
	slices.SortFunc(siblings, func(a, b *cli.Command) int { return strings.Compare(a.Name, b.Name) })
	nearest := cli.SuggestCommand(siblings, name)
	if !slices.ContainsFunc(siblings, func(c *cli.Command) bool { return c.Name == nearest }) {
		return ""
	}
	return "; did you mean " + parent + nearest + "?"
}
