package config

import (
	"slices"
	"strings"
)

// maxTypos is the edit distance up to which a word is suggested for another.
const maxTypos = 2

// DidYouMean returns "; did you mean X?" as the end of a message about an unknown
// word, where X is prefix and the candidate that is nearest to the word. It
// returns nothing where no candidate is near and begins with the same letter.
func DidYouMean(word, prefix string, candidates []string) string {
	nearest, least := "", maxTypos+1
	for _, candidate := range slices.Sorted(slices.Values(candidates)) {
		if word == "" || candidate == "" || word[0] != candidate[0] {
			continue
		}
		if d := editDistance(word, candidate); d < least {
			nearest, least = candidate, d
		}
	}
	if nearest == "" {
		return ""
	}
	return "; did you mean " + prefix + nearest + "?"
}

// editDistance returns how many bytes must be inserted, deleted or replaced to
// turn a into b.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}

// suggestKey returns "; did you mean X?" for an unknown key of the YAML file: a
// known key with the same name in another section, or the nearest name in its
// own section.
func suggestKey(key string, known map[string]bool) string {
	section, name := "", key
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		section, name = key[:i+1], key[i+1:]
	}
	var elsewhere, siblings []string
	for k := range known {
		if strings.HasSuffix("."+k, "."+name) {
			elsewhere = append(elsewhere, k)
		}
		if rest, ok := strings.CutPrefix(k, section); ok {
			sibling, _, _ := strings.Cut(rest, ".")
			siblings = append(siblings, sibling)
		}
	}
	if len(elsewhere) > 0 {
		return "; did you mean " + slices.Min(elsewhere) + "?"
	}
	return DidYouMean(name, section, siblings)
}
