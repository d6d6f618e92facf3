package diagram_test

import (
	"bytes"
	"context"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/browsertest"
)

// mermaidScript is Mermaid, for pages.
//
//nolint:gochecknoglobals // never written
var mermaidScript = browsertest.Script{
	Name: "Mermaid", File: "../../.tools/mermaid/node_modules/mermaid/dist/mermaid.min.js",
	Install: ".tools/mermaid/install", Require: "SWITCHYARD_REQUIRE_MERMAID",
}

// mermaidPage draws a diagram with Mermaid, as a code host does.
const mermaidPage = `<!doctype html><meta charset="utf-8"><title>waiting</title>
<pre id="source">SOURCE</pre><div id="picture"></div>
<script src="SCRIPT"></script>
<script>
mermaid.initialize({startOnLoad: false});
mermaid.render("drawn", document.getElementById("source").textContent).then(
  function (r) { document.getElementById("picture").innerHTML = r.svg; document.title = "drawn"; },
  function (e) { document.title = "failed: " + e; });
</script>
`

// TestMermaidRenders draws the diagrams with Mermaid in a browser, and shows that
// each state, transition and label is in the picture. It needs Chromium, and
// Mermaid in .tools/mermaid.
func TestMermaidRenders(t *testing.T) {
	t.Parallel()
	browser, script := browsertest.Find(t, mermaidScript)
	for _, c := range []struct{ name, diagram string }{
		{"states.md", fence(t, statesPage)},
		{"guards", readFile(t, "testdata/guards.mmd")},
		{"highlight", readFile(t, "testdata/highlight.mmd")},
		{"everything", readFile(t, "testdata/everything.mmd")},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			page := render(t, browser, script, c.diagram)
			_, title, _ := strings.Cut(page, "<title>")
			if title, _, _ = strings.Cut(title, "</title>"); title != "drawn" {
				t.Fatalf("Mermaid: %s", html.UnescapeString(title))
			}
			_, picture, _ := strings.Cut(page, `<div id="picture">`)
			picture, _, _ = strings.Cut(picture, "<script")
			text := words(t, picture)
			for _, s := range fsm.States() {
				if s != fsm.Initial && s != fsm.Stopped && !strings.Contains(text, s.String()) {
					t.Errorf("the picture does not have the state %v", s)
				}
			}
			edges := 0
			for l := range strings.Lines(c.diagram) {
				_, label, found := strings.Cut(strings.TrimSpace(l), ": ")
				if !found || !strings.Contains(l, " --> ") {
					continue
				}
				edges++
				if label = squeeze(strings.ReplaceAll(label, "<br/>", " ")); !strings.Contains(text, label) {
					t.Errorf("the picture does not have the label %q", label)
				}
			}
			if drawn := strings.Count(picture, "marker-end="); edges == 0 || drawn != edges {
				t.Errorf("the picture has %d arrows for %d transitions", drawn, edges)
			}
		})
	}
}

// TestBrokenMermaidFails shows that the check above can fail.
func TestBrokenMermaidFails(t *testing.T) {
	t.Parallel()
	browser, script := browsertest.Find(t, mermaidScript)
	page := render(t, browser, script, "stateDiagram-v2\n    A --> --> B: {\n")
	if !strings.Contains(page, "<title>failed: ") {
		t.Error("Mermaid has drawn a text that is not a diagram")
	}
}

// render returns the page with the diagram, as it is once Mermaid is through.
func render(t *testing.T, browser, script, diagram string) string {
	t.Helper()
	page := filepath.Join(t.TempDir(), "page.html")
	text := strings.NewReplacer("SOURCE", html.EscapeString(diagram), "SCRIPT", "file://"+script).Replace(mermaidPage)
	if err := os.WriteFile(page, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const enough = 2 * time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), enough)
	defer cancel()
	flags := []string{
		"--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--user-data-dir=" + browsertest.Profile(t),
		"--virtual-time-budget=30000", "--dump-dom",
	}
	if os.Getuid() == 0 {
		flags = append(flags, "--no-sandbox") // which Chromium has for other users only
	}
	cmd := exec.CommandContext(ctx, browser, append(flags, "file://"+page)...) //nolint:gosec // the browser that was found
	cmd.WaitDelay = time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", browser, err, stderr.String())
	}
	return string(out)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path) //nolint:gosec // a golden
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fence returns the diagram of a Markdown page.
func fence(t *testing.T, path string) string {
	t.Helper()
	_, after, opened := strings.Cut(readFile(t, path), "```mermaid\n")
	diagram, _, closed := strings.Cut(after, "```\n")
	if !opened || !closed {
		t.Fatalf("%s has no diagram", path)
	}
	return diagram
}

var tags = regexp.MustCompile(`<[^>]*>`)

// words returns the text of some HTML, with single spaces.
func words(t *testing.T, markup string) string {
	t.Helper()
	return squeeze(html.UnescapeString(tags.ReplaceAllString(markup, " ")))
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }
