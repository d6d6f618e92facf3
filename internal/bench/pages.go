package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/switchyard-ci/switchyard/internal/datadir"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// openPages is how many pages of the web page are open, and sessionPages how many of them
	// one session has.
	openPages, sessionPages = 200, 20
	// pagesIdle is for how long the CPU of a control plane is measured that has no work.
	pagesIdle = 20 * time.Second
	// pageRefresh is the shortest time between two loads of a page, as its script has it.
	pageRefresh = time.Second
	// pageGap is the time between two jobs.
	pageGap = 20 * time.Millisecond
	// pagesRounds is how often jobs run with pages, and without. They are even, so that each
	// comes first as often as the other.
	pagesRounds = 6
	// pagesMemory, pagesCPU and pagesSlower are the figures to reach: bytes, a share of a
	// core, and the median of the ratio of the times of jobs.
	pagesMemory = 40 << 20
	pagesCPU    = 0.1
	pagesSlower = 1.1
)

// measurePages measures what open pages cost a control plane: its memory, its CPU while
// nothing happens, and how long a job takes while everything does. It measures jobs with
// pages and without in turn, beginning with the one and with the other, so that what else
// the machine does concerns both.
func measurePages(ctx context.Context, l *lab) (results []result, err error) {
	s, err := l.newServer(ctx, keyPages)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	workers, err := startBareWorkers(ctx, s, throughputWorkers, throughputWorkers)
	if err != nil {
		return nil, err
	}
	defer workers.end()
	m := &pagesMeasurement{server: s, workers: workers, jobs: max(1, l.plan.jobs/pagesRounds)}
	if _, err := s.jobTimes(ctx, workers, m.jobs); err != nil { // what only the first jobs take
		return nil, err
	}
	for round := range pagesRounds {
		steps := []func(context.Context) error{m.alone, m.among}
		if round%2 == 1 {
			slices.Reverse(steps)
		}
		for _, step := range steps {
			if err := step(ctx); err != nil {
				return nil, err
			}
		}
	}
	return m.results(), nil
}

// pagesMeasurement is what measurePages has measured.
type pagesMeasurement struct {
	server  *serverProcess
	workers *bareWorkers
	jobs    int // of a round

	without, with []jobsRun // of each round
	memory        int64     // the most that pages have added, in bytes
	idle          float64   // CPU while nothing happens and pages are open, as a share of a core
	idleLoads     int64     // loads of pages in that time
	loads         int64     // in all
}

// jobsRun are the jobs of one round.
type jobsRun struct {
	times []time.Duration
	cpu   float64 // of the control plane, as a share of a core
}

// alone runs jobs without a page.
func (m *pagesMeasurement) alone(ctx context.Context) error {
	ran, err := m.run(ctx)
	m.without = append(m.without, ran)
	return err
}

// among runs jobs while pages are open.
func (m *pagesMeasurement) among(ctx context.Context) (err error) {
	pid := m.server.cmd.Process.Pid
	before, err := residentMemory(pid)
	if err != nil {
		return err
	}
	p, err := openPagesOf(ctx, m.server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if len(m.with) == 0 {
		cpu, err := cpuIn(ctx, pid, pagesIdle)
		if err != nil {
			return err
		}
		m.idle, m.idleLoads = cpu.Seconds()/pagesIdle.Seconds(), p.loads.Load()
	}
	ran, err := m.run(ctx)
	if err != nil {
		return err
	}
	m.with = append(m.with, ran)
	m.loads += p.loads.Load()
	after, err := residentMemory(pid)
	m.memory = max(m.memory, after-before)
	return err
}

// run runs the jobs of a round.
func (m *pagesMeasurement) run(ctx context.Context) (ran jobsRun, err error) {
	pid, began := m.server.cmd.Process.Pid, time.Now()
	before, err := cpuTime(pid)
	if err != nil {
		return ran, err
	}
	if ran.times, err = m.server.jobTimes(ctx, m.workers, m.jobs); err != nil {
		return ran, err
	}
	after, err := cpuTime(pid)
	ran.cpu = (after - before).Seconds() / time.Since(began).Seconds()
	return ran, err
}

// results returns the figures.
func (m *pagesMeasurement) results() []result {
	times := func(runs []jobsRun) (all []time.Duration) {
		for _, ran := range runs {
			all = append(all, ran.times...)
		}
		return all
	}
	ratio := func(of func(jobsRun) float64) []float64 {
		ratios := make([]float64, len(m.with))
		for i := range ratios {
			ratios[i] = of(m.with[i]) / of(m.without[i])
		}
		slices.Sort(ratios)
		return ratios
	}
	quantileOf := func(q float64) func(jobsRun) float64 {
		return func(ran jobsRun) float64 { return quantile(ran.times, q).Seconds() }
	}
	words := func(name string, r []float64) string {
		return fmt.Sprintf("%s %.2f times that without pages (%.2f to %.2f in %d rounds)", name, r[len(r)/2], r[0], r[len(r)-1], len(r))
	}
	halves, tails := ratio(quantileOf(median)), ratio(quantileOf(percent99))
	share := func(runs []jobsRun) float64 {
		sum := 0.0
		for _, ran := range runs {
			sum += ran.cpu
		}
		return 100 * sum / float64(len(runs))
	}
	with, without := times(m.with), times(m.without)
	return []result{{
		key: keyPages, value: fmt.Sprintf("%.1f MB, %.1f %% of a core", float64(m.memory)/megabyte, 100*m.idle), samples: openPages,
		outcome: outcomeOf(true, m.memory <= pagesMemory && m.idle <= pagesCPU),
		notes: []string{fmt.Sprintf("the memory is the most after the jobs of a round; %d loads of pages while idle, and %d in all",
			m.idleLoads, m.loads)},
	}, {
		key: keyPagesJobs, value: fmt.Sprintf("%.2f; %s", halves[len(halves)/2], spread(with, median, percent99)), samples: len(with),
		outcome: outcomeOf(true, halves[len(halves)/2] <= pagesSlower),
		notes: []string{
			"without pages: " + spread(without, median, percent99), words("p50", halves), words("p99", tails),
			fmt.Sprintf("CPU of the control plane while jobs run: %.0f %% of a core, %.0f %% without pages", share(m.with), share(m.without)),
			"the pages and their connections are in this process, on the same machine",
		},
	}}
}

// jobTimes returns how long jobs took from their submission to their finish, one after the
// other.
func (s *serverProcess) jobTimes(ctx context.Context, workers *bareWorkers, jobs int) (times []time.Duration, err error) {
	c, err := s.client()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for range jobs {
		began := time.Now()
		if _, err := c.Submit(ctx, &switchyardv1.SubmitJobRequest{Command: bareCommand(), Queue: bareQueue}); err != nil {
			return nil, fmt.Errorf("submitting a job: %w", err)
		}
		select {
		case <-workers.finished:
			times = append(times, time.Since(began))
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("waiting for a job: %w", context.Cause(ctx)), workers.failure())
		}
		if err := pause(ctx, pageGap); err != nil {
			return nil, err
		}
	}
	return times, nil
}

// pages are open pages: each holds a stream, and loads itself again when that says so, as
// its script does in a browser.
type pages struct {
	cancel context.CancelFunc
	all    sync.WaitGroup
	loads  atomic.Int64
	failed atomic.Pointer[error]
}

// openPagesOf signs in and opens the pages. The caller must close them.
func openPagesOf(ctx context.Context, s *serverProcess) (*pages, error) {
	token, err := s.token(datadir.AdminTokenFile)
	if err != nil {
		return nil, err
	}
	p := &pages{}
	ctx, p.cancel = context.WithCancel(ctx)
	var browser *http.Client
	for i := range openPages {
		if i%sessionPages == 0 {
			jar, err := cookiejar.New(nil)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("making a browser: %w", err), p.close())
			}
			browser = &http.Client{Jar: jar, Transport: &http.Transport{MaxIdleConnsPerHost: sessionPages}}
			if err := signIn(ctx, browser, s.url, token); err != nil {
				return nil, errors.Join(err, p.close())
			}
		}
		path := []string{"/", "/jobs", "/workers", "/jobs?state=active"}[i%4]
		page := browser
		p.all.Go(func() {
			if err := p.follow(ctx, page, s.url, path); err != nil && ctx.Err() == nil {
				p.failed.Store(&err)
			}
		})
	}
	return p, nil
}

func signIn(ctx context.Context, browser *http.Client, address, token string) error {
	form := strings.NewReader(url.Values{"token": {token}}.Encode())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/signin", form)
	if err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return loadPage(browser, req)
}

// follow holds a stream, and loads the page again when it says so.
func (p *pages) follow(ctx context.Context, browser *http.Client, address, path string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/live", http.NoBody)
	if err != nil {
		return fmt.Errorf("opening a page: %w", err)
	}
	res, err := browser.Do(req)
	if err != nil {
		return fmt.Errorf("opening a page: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("opening a page: %s", res.Status)
	}
	for events := bufio.NewScanner(res.Body); events.Scan(); {
		if events.Text() != "event: change" {
			continue
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, address+path, http.NoBody)
		if err != nil {
			return fmt.Errorf("loading a page: %w", err)
		}
		req.Header.Set("Switchyard-Parts", "1")
		if err := loadPage(browser, req); err != nil {
			return err
		}
		p.loads.Add(1)
		if err := pause(ctx, pageRefresh); err != nil {
			return err
		}
	}
	return errors.New("the stream of a page has ended")
}

// loadPage makes a request, and reads its response.
func loadPage(browser *http.Client, req *http.Request) error {
	res, err := browser.Do(req)
	if err != nil {
		return fmt.Errorf("loading a page: %w", err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return fmt.Errorf("loading a page: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("loading a page: %s", res.Status)
	}
	return nil
}

// close closes the pages, and returns the last failure of one.
func (p *pages) close() error {
	p.cancel()
	p.all.Wait()
	if err := p.failed.Load(); err != nil {
		return *err
	}
	return nil
}
