//go:build unix

package e2e_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"
)

// spreadWithin bounds the time after the end of a run in which the streams must spread: a
// replica that has started counts after half a minute, and the others give up a few
// streams every five seconds.
const spreadWithin = 2 * time.Minute

// checkSpread checks that the workers of the agents, each of which knows every replica,
// have their streams at all of them again, about the same number at each.
func checkSpread(ctx context.Context, t *testing.T, r *clusterRun) {
	t.Helper()
	const workers = clusterAgents * clusterWorkers
	ctx, cancel := context.WithTimeout(ctx, spreadWithin)
	defer cancel()
	fewest := workers / len(r.c.Replicas) / 2
	began := time.Now()
	for {
		streams, total := make([]int, len(r.c.Replicas)), 0
		for i := range streams {
			n, err := r.streams(ctx, i)
			if err != nil {
				t.Error(err)
				return
			}
			streams[i] = n
			total += n
		}
		if total == workers && slices.Min(streams) >= fewest {
			t.Logf("the streams were spread %v after the run: %v", time.Since(began).Round(time.Second), streams)
			return
		}
		if !pause(ctx, time.Second) {
			t.Errorf("the streams at the replicas are %v after %v, want %d, and at least %d at each", streams, spreadWithin, workers, fewest)
			return
		}
	}
}

// streams returns how many streams of workers are open to a replica, as its metrics say.
func (r *clusterRun) streams(ctx context.Context, replica int) (n int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.c.URL(replica)+"/metrics", http.NoBody)
	if err != nil {
		return 0, fmt.Errorf("reading metrics: %w", err)
	}
	req.Close = true // it leaves no goroutine
	req.Header.Set("Authorization", "Bearer "+r.admin)
	client := &http.Client{Timeout: submitTimeout}
	res, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("reading metrics: %w", err)
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if found, _ := fmt.Sscanf(lines.Text(), "switchyard_streams %d", &n); found == 1 {
			return n, nil
		}
	}
	return 0, fmt.Errorf("the metrics of %s (%s) have no number of streams", r.c.URL(replica), res.Status)
}
