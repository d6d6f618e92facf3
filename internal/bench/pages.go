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
	// pagesMemory and pagesCPU are the figures to reach.
	pagesMemory = 40 << 20
	pagesCPU    = 0.1
)

// measurePages measures what open pages cost a control plane: its memory, its CPU while
// nothing happens, and how long a job takes while everything does.
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
	alone, err := s.jobTimes(ctx, workers, l.plan.jobs)
	if err != nil {
		return nil, err
	}
	before, err := residentMemory(s.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	p, err := openPagesOf(ctx, s)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	cpu, err := cpuIn(ctx, s.cmd.Process.Pid, pagesIdle)
	if err != nil {
		return nil, err
	}
	loads := p.loads.Load()
	among, err := s.jobTimes(ctx, workers, l.plan.jobs)
	if err != nil {
		return nil, err
	}
	after, err := residentMemory(s.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	share := cpu.Seconds() / pagesIdle.Seconds()
	return []result{{
		key:     keyPages,
		value:   fmt.Sprintf("%.1f MB, %.0f %% of a core", float64(after-before)/megabyte, 100*share),
		samples: openPages, outcome: outcomeOf(true, after-before <= pagesMemory && share <= pagesCPU),
		notes: []string{fmt.Sprintf("the memory is that after the jobs; %d loads of pages while idle, and %d in all", loads, p.loads.Load())},
	}, {
		key: keyPagesJobs, value: spread(among, median, percent99), samples: len(among),
		outcome: outcomeOf(false, true), notes: []string{"without pages: " + spread(alone, median, percent99)},
	}}, nil
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
