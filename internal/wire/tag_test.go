package wire

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestRequiredTags(t *testing.T) {
	long := "k=" + strings.Repeat("v", MaxRequiredTag-2)
	many := make([]string, MaxRequiredTags+1)
	for i := range many {
		many[i] = fmt.Sprintf("k=%02d", i)
	}
	for name, row := range map[string]struct {
		tags, want []string
		problem    string
	}{
		"none":                 {},
		"in order, each once":  {tags: []string{"os=linux", "gpu=*", "os=linux"}, want: []string{"gpu=*", "os=linux"}},
		"a key with two":       {tags: []string{"cache=b", "cache=a"}, want: []string{"cache=a", "cache=b"}},
		"a value with =":       {tags: []string{"flags=a=b"}, want: []string{"flags=a=b"}},
		"spaces inside":        {tags: []string{"os=Windows Server"}, want: []string{"os=Windows Server"}},
		"as long as possible":  {tags: []string{long}, want: []string{long}},
		"as many as possible":  {tags: many[1:], want: many[1:]},
		"one too many":         {tags: many, problem: "are 17, and at most 16 are possible"},
		"too long":             {tags: []string{long + "x"}, problem: "which has 256 bytes, and at most 255 are possible"},
		"no value":             {tags: []string{"os"}, problem: `have "os", which must be key=value, or key=* for any value`},
		"an empty value":       {tags: []string{"os="}, problem: `have "os=", which must be key=value`},
		"an empty key":         {tags: []string{"=linux"}, problem: `which must be key=value`},
		"the queue":            {tags: []string{"queue=linux"}, problem: `have "queue=linux", which names the queue`},
		"a line break":         {tags: []string{"os=a\nb"}, problem: "cannot be printed"},
		"not UTF-8":            {tags: []string{"os=\xff"}, problem: "cannot be printed"},
		"a space at an end":    {tags: []string{"os= linux"}, problem: "has a space at an end"},
		"two tags in one":      {tags: []string{"os=linux,gpu=a100"}, problem: "has a comma"},
		"a pattern":            {tags: []string{"os=lin*"}, problem: "has a * beside other characters"},
		"a pattern in the key": {tags: []string{"o*=linux"}, problem: "has a * beside other characters"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := RequiredTags(row.tags)
			if row.problem == "" && (err != nil || !slices.Equal(got, row.want)) {
				t.Errorf("got %q, %v, want %q", got, err, row.want)
			}
			if row.problem != "" && (err == nil || !strings.Contains(err.Error(), row.problem)) {
				t.Errorf("got %q, %v, want an error with %q", got, err, row.problem)
			}
		})
	}
}

func TestHasTags(t *testing.T) {
	worker := []string{"queue=q", "os=linux", "gpu=a100", "gpu=h100", "docker", "empty="}
	for _, row := range []struct {
		required []string
		want     bool
	}{
		{nil, true},
		{[]string{"os=linux"}, true},
		{[]string{"os=linux", "gpu=h100"}, true},
		{[]string{"gpu=a100", "gpu=h100"}, true},
		{[]string{"gpu=*", "os=*"}, true},
		{[]string{"docker=*"}, true},
		{[]string{"empty=*"}, true},
		{[]string{"os=Linux"}, false},
		{[]string{"os=lin"}, false},
		{[]string{"os=linux", "gpu=v100"}, false},
		{[]string{"docker=true"}, false},
		{[]string{"o=*"}, false},
		{[]string{"arch=*"}, false},
	} {
		if got := HasTags(worker, row.required); got != row.want {
			t.Errorf("a worker with %q has %q: %t, want %t", worker, row.required, got, row.want)
		}
	}
}
