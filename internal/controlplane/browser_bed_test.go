package controlplane_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/switchyard-ci/switchyard/internal/browsertest"
)

// axeScript checks whether a page can be used by everybody.
//
//nolint:gochecknoglobals // never written
var axeScript = browsertest.Script{
	Name: "axe-core", File: "../../.tools/axe/node_modules/axe-core/axe.min.js",
	Install: ".tools/axe/install", Require: "SWITCHYARD_REQUIRE_BROWSER",
}

// browserLimit bounds every wait for a browser, which is slow on a busy machine.
const browserLimit = 2 * time.Minute

// tab is a page in a browser, with what its console has shown.
type tab struct {
	t   *testing.T
	ctx context.Context
	axe string

	mu       sync.Mutex
	problems []string
}

// browse returns a page in a browser of its own, which ends with the test. What its
// console shows as an error fails the test.
func browse(t *testing.T) *tab {
	t.Helper()
	browser, axe := browsertest.Find(t, axeScript)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.UserDataDir(browsertest.Profile(t)),
		chromedp.WindowSize(1280, 900), chromedp.WSURLReadTimeout(browserLimit))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // which Chromium has for other users only
	}
	allocated, endBrowser := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	ctx, endPage := chromedp.NewContext(allocated)
	p := &tab{t: t, ctx: ctx, axe: axe}
	listening, stopListening := context.WithCancel(ctx)
	var listener sync.WaitGroup
	t.Cleanup(func() {
		stopListening()
		listener.Wait()
		ending, cancel := context.WithTimeout(ctx, browserLimit)
		defer cancel()
		_ = chromedp.Cancel(ending) // it waits for the browser
		endPage()
		endBrowser()
		p.expectQuiet()
	})
	if err := chromedp.Do(ctx); err != nil { // starts the browser, which ends with this context
		t.Fatal(err)
	}
	messages := chromedp.Console(listening)
	listener.Go(func() {
		for message, err := range messages {
			if err != nil {
				return
			}
			if message.IsException() || message.Type == "error" || strings.Contains(message.Text, "Content Security Policy") {
				p.note(message.Text + " " + message.URL)
			}
		}
	})
	return p
}

func (p *tab) note(problem string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.problems = append(p.problems, problem)
}

// expectQuiet fails the test if the console has shown an error since the last call.
func (p *tab) expectQuiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, problem := range p.problems {
		p.t.Errorf("console of the browser: %s", problem)
	}
	p.problems = nil
}

// allow forgets what the console has shown that contains one of the texts.
func (p *tab) allow(texts ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var left []string
	for _, problem := range p.problems {
		allowed := false
		for _, text := range texts {
			allowed = allowed || strings.Contains(problem, text)
		}
		if !allowed {
			left = append(left, problem)
		}
	}
	p.problems = left
}

// run does actions in order, each within the limit.
func (p *tab) run(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	for i, action := range actions {
		ctx, cancel := context.WithTimeout(p.ctx, browserLimit)
		err := chromedp.Do(ctx, action)
		cancel()
		if err != nil {
			p.t.Fatalf("action %d: %v\n%s", i+1, err, p.text())
		}
	}
}

// text returns the text of the page, for messages.
func (p *tab) text() string {
	ctx, cancel := context.WithTimeout(p.ctx, time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.body.innerText`))
	return fmt.Sprint(text, err)
}

// until waits until an expression of JavaScript is true. It survives a navigation, and
// needs nothing that the policy of the page forbids.
func (p *tab) until(expression string, args ...any) {
	p.t.Helper()
	for i, arg := range args {
		quoted, err := json.Marshal(arg)
		if err != nil {
			p.t.Fatal(err)
		}
		args[i] = string(quoted)
	}
	expression = "!!(" + strings.TrimSpace(fmt.Sprintf(expression, args...)) + ")"
	ctx, cancel := context.WithTimeout(p.ctx, browserLimit)
	defer cancel()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if ok && err == nil {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			p.t.Fatalf("never true, %v: %s\n%s", err, expression, p.text())
		}
	}
}

// signIn signs in with a token.
func (p *tab) signIn(url, presented string) {
	p.t.Helper()
	p.run(chromedp.Navigate(url), chromedp.SendKeys(chromedp.CSS("#token"), presented), chromedp.Submit(chromedp.CSS("#token")))
	p.until(`document.querySelector("nav")`)
}

// prefer has the page shown on a light or dark ground.
func (p *tab) prefer(scheme string) {
	p.t.Helper()
	p.run(func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return chromedp.Void{}, err
	})
}

// expectAccessible fails the test if the page has a serious fault for those who use it by
// the keyboard or a screen reader, or cannot tell colors apart.
func (p *tab) expectAccessible(name string) {
	p.t.Helper()
	script, err := os.ReadFile(p.axe)
	if err != nil {
		p.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.ctx, browserLimit)
	defer cancel()
	p.run(chromedp.Evaluate[chromedp.Void](string(script) + "; undefined"))
	found, err := chromedp.Run(ctx, chromedp.Evaluate[string](`axe.run().then((r) => JSON.stringify(r.violations
		.filter((v) => v.impact === "serious" || v.impact === "critical")
		.map((v) => v.id + ": " + v.nodes.slice(0, 3).map((n) => n.html + " " + n.failureSummary).join("\n"))))`, chromedp.EvalAwaitPromise))
	if err != nil || found != "[]" {
		p.t.Errorf("%s: %s, %v", name, found, err)
	}
}
