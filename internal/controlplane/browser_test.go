package controlplane_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// drawn is a picture of a machine, for tests.
func drawn(w io.Writer, state string) error {
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 20"><title>%[1]s</title><text y="15">%[1]s</text></svg>`, state)
	return err
}

func withPictures(c *controlplane.Config) { c.WorkerPicture, c.JobPicture = drawn, drawn }

// A log is seen line by line while the job runs, a progress bar redraws its line, and the
// job's state follows. What a log and a job are called never becomes markup.
func TestBrowserLog(t *testing.T) {
	t.Parallel()
	b := start(t, withPictures)
	p := browse(t)
	j := b.running(b.register("w", "q"), &switchyardv1.SubmitJobRequest{Command: []string{"make", hostile}, Queue: "q"})
	p.signIn(b.URL()+"/jobs/"+j.id, b.AdminToken())
	p.until(`document.getElementById("live-state").innerText === "running"`)
	for n, text := range []string{"compiling", "<script>document.title='hacked'</script>", "\x1b[32mok\x1b[0m"} {
		j.write(text + "\n")
		p.until(`document.querySelector("#L%s span")?.innerText.includes(%s)`, n+1, strings.NewReplacer("\x1b[32m", "", "\x1b[0m", "").Replace(text))
	}
	p.until(`getComputedStyle(document.querySelector("#L3 .term-fg32")).color === "rgb(111, 206, 131)"`)
	for _, percent := range []string{"10%", "50%", "100%"} {
		j.write("\r" + percent)
		p.until(`document.querySelector("#L4 span")?.innerText === %s`, percent)
	}
	p.until(`document.title !== "hacked" && document.querySelectorAll("#log script, #log img, h1 img, h1 script").length === 0`)
	p.until(`document.getElementById("log").childElementCount === 4`)
	j.write("\nwarning\n")
	j.finish(`{"exit_status":"3"}`)
	p.until(`document.getElementById("live-state").innerText === "failed 3" && document.querySelector("#L5 span").innerText === "warning"`)
	p.run(chromedp.Click(chromedp.CSS("#L2 a")))
	p.until(`location.hash === "#L2" && document.querySelector("#L2").classList.contains("at")`)
	p.run(chromedp.Click(chromedp.CSS("#live-actions form button")))
	p.until(`document.body.innerText.includes("submitted again")`)
}

// A person cancels a job with a reason, and pauses and resumes a worker; the pages of
// others follow.
func TestBrowserControl(t *testing.T) {
	t.Parallel()
	b := start(t, withPictures)
	p := browse(t)
	j := b.running(b.register("mole", "q"), queued("q"))
	p.signIn(b.URL()+"/jobs/"+j.id, b.AdminToken())
	p.run(chromedp.Click(chromedp.CSS(".action summary")), chromedp.SendKeys(chromedp.CSS(`.action input[name="reason"]`), "wrong branch"), chromedp.Submit(chromedp.CSS(`.action input[name="reason"]`)))
	p.until(`document.body.innerText.includes("The cancellation was requested.") && document.body.innerText.includes("wrong branch")`)
	p.until(`document.getElementById("live-state").innerText.includes("canceling")`)
	j.finish(`{"exit_status":"-1","signal":"SIGTERM","signal_reason":"cancel"}`)
	p.until(`document.getElementById("live-state").innerText === "canceled"`)

	p.run(chromedp.Navigate(b.URL()+"/workers"), chromedp.Click(chromedp.CSS(`#live-workers td a`)))
	p.run(chromedp.SendKeys(chromedp.CSS(`form[action$="/pause"] input[name="reason"]`), "disk check"), chromedp.Submit(chromedp.CSS(`form[action$="/pause"] input[name="reason"]`)))
	p.until(`document.getElementById("live-state").innerText.includes("paused") && document.body.innerText.includes("disk check")`)
	p.run(chromedp.Click(chromedp.CSS(`form[action$="/resume"] button`)))
	p.until(`document.getElementById("live-state").innerText === "idle"`)
	p.run(chromedp.Navigate(b.URL() + "/"))
	b.submit("other", "true")
	p.until(`document.getElementById("live-queues").innerText.includes("other") && document.getElementById("live-jobs").innerText.includes("true")`)
}

// After a restart of the control plane a page goes on by itself, with the same session.
func TestBrowserRestart(t *testing.T) {
	t.Parallel()
	p := browse(t)
	dir := t.TempDir()
	port := freePort(t)
	listen := func(c *controlplane.Config) { c.DataDir, c.Listen = dir, fmt.Sprint("127.0.0.1:", port) }
	b := start(t, withPictures, listen)
	p.signIn(b.URL()+"/jobs", b.AdminToken())
	p.until(`document.getElementById("link").innerText === "live"`)
	p.expectQuiet()
	ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
	defer cancel()
	b.client.CloseIdleConnections()
	if err := b.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	p.until(`document.getElementById("link").innerText.startsWith("reconnecting")`)
	again := start(t, withPictures, listen)
	again.submit("after", "true")
	p.until(`document.getElementById("link").innerText === "live" && document.getElementById("live-jobs").innerText.includes("after")`)
	p.run(chromedp.Navigate("about:blank"))
	p.allow("net::ERR_CONNECTION_REFUSED", "net::ERR_INCOMPLETE_CHUNKED_ENCODING", "net::ERR_CONNECTION_RESET", "net::ERR_EMPTY_RESPONSE", "503")
}

// No page has a serious fault for those who use it by the keyboard or a screen reader, on a
// light and a dark ground, and none is wider than a phone.
func TestBrowserAccessible(t *testing.T) {
	t.Parallel()
	b := start(t, withPictures)
	p := browse(t)
	w := b.register("w", "q")
	j := b.running(w, &switchyardv1.SubmitJobRequest{
		Command: []string{"sh", "-c", "make test " + strings.Repeat("long", 60)}, Queue: "q", Env: map[string]string{"A": "b", "MY_TOKEN": "c"},
	})
	j.write("plain\n\x1b[31mred\x1b[0m \x1b[1;34mblue\x1b[0m \x1b[90mgray\x1b[0m \x1b[43mmarked\x1b[0m\n")
	b.submit("nobody", "true")
	b.pause(w.id)
	p.run(chromedp.Navigate(b.URL()))
	p.expectAccessible("sign-in")
	p.signIn(b.URL(), b.AdminToken())
	for _, scheme := range []string{"light", "dark"} {
		p.prefer(scheme)
		for _, path := range []string{"/", "/jobs", "/jobs?text=make", "/jobs/new", "/jobs/" + j.id, "/workers", "/workers/" + w.id, "/queue?name=q", "/audit"} {
			p.run(chromedp.Navigate(b.URL() + path))
			p.expectAccessible(scheme + " " + path)
			if scheme == "dark" {
				p.run(chromedp.EmulateViewport(360, 740))
				p.until(`document.documentElement.scrollWidth <= 360`)
				p.run(chromedp.EmulateViewport(1280, 900))
			}
		}
	}
	p.run(chromedp.Navigate(b.URL() + "/jobs/nosuch"))
	p.expectAccessible("an error")
	p.allow("404", "400")
}
