package schedule

import (
	"strings"
	"testing"
)

func TestIsPrefix(t *testing.T) {
	t.Parallel()
	const id = "019a7d3c-15b2-7000-8000-0123456789ab"
	for ref, want := range map[string]bool{
		id[:4]: true, id[:8]: true, id[:9]: true, id[:20]: true, id[:35]: true, strings.ToUpper(id[:12]): true,
		"": false, id[:3]: false, id: false, id + "0": false, "019a7d3c15b2": false, "box1": false, "-19a": false, "019a-": false, "019é": false,
	} {
		if _, ok := isPrefix(ref); ok != want {
			t.Errorf("%q: %v, want %v", ref, ok, want)
		}
	}
}
