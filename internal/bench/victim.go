package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/switchyard-ci/switchyard/internal/datadir"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// attackChunks are the chunks of the followed log, of the largest size.
	attackChunks, attackChunkBytes = 128, 512 << 10
)

// victim is a control plane that is attacked, with a worker that runs a job.
type victim struct {
	address       string // host and port
	url           string
	registration  string // the tokens
	admin         string
	session       string
	workerID      string
	jobID, jobKey string
	caller        *http.Client

	mu    sync.Mutex
	conns []io.Closer
}

// newVictim registers a worker that runs a job, and with a log if that is followed.
func newVictim(ctx context.Context, s *serverProcess, log bool) (*victim, error) {
	v := &victim{url: s.url, address: s.address(), caller: &http.Client{Transport: &http.Transport{}}}
	var err error
	if v.registration, err = s.token(datadir.RegistrationTokenFile); err != nil {
		return nil, err
	}
	if v.admin, err = s.token(datadir.AdminTokenFile); err != nil {
		return nil, err
	}
	c, err := s.client()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var worker struct {
		ID          string
		AccessToken string `json:"access_token"`
	}
	body := []byte(`{"name":"attacked","meta_data":["queue=attacked"]}`)
	if err := v.must(ctx, http.MethodPost, "/v3/register", v.registration, body, &worker); err != nil {
		return nil, err
	}
	v.session, v.workerID = worker.AccessToken, worker.ID
	if err := v.must(ctx, http.MethodPost, "/v3/connect", v.session, nil, nil); err != nil {
		return nil, err
	}
	job, err := c.Submit(ctx, &switchyardv1.SubmitJobRequest{Command: bareCommand(), Queue: "attacked"})
	if err != nil {
		return nil, fmt.Errorf("submitting a job: %w", err)
	}
	v.jobID = job.GetJob().GetId()
	for offered := ""; offered != v.jobID; {
		var ping struct{ Job *struct{ ID string } }
		if err := v.must(ctx, http.MethodGet, "/v3/ping", v.session, nil, &ping); err != nil {
			return nil, err
		}
		if ping.Job != nil {
			offered = ping.Job.ID
		}
	}
	var accepted struct{ Token string }
	if err := v.must(ctx, http.MethodPut, "/v3/jobs/"+v.jobID+"/accept", v.session, nil, &accepted); err != nil {
		return nil, err
	}
	v.jobKey = accepted.Token
	if err := v.must(ctx, http.MethodPut, "/v3/jobs/"+v.jobID+"/start", v.jobKey, nil, nil); err != nil {
		return nil, err
	}
	if log {
		err = v.writeLog(ctx)
	}
	return v, err
}

// writeLog stores a log that does not compress.
func (v *victim) writeLog(ctx context.Context) error {
	random, data := rand.NewChaCha8([32]byte{}), make([]byte, attackChunkBytes)
	for n := range attackChunks {
		_, _ = random.Read(data) // never fails
		path := fmt.Sprintf("/v3/jobs/%s/chunks?sequence=%d&offset=%d&size=%d", v.jobID, n+1, n*len(data), len(data))
		if err := v.must(ctx, http.MethodPost, path, v.jobKey, compressed(data), nil); err != nil {
			return err
		}
	}
	return nil
}

// compressed returns data in gzip.
func compressed(data []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(data) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// must makes a call of an agent, which must succeed, and decodes the response.
func (v *victim) must(ctx context.Context, method, path, token string, body []byte, response any) error {
	header := http.Header{"Authorization": {"Token " + token}}
	if strings.Contains(path, "/chunks") {
		header.Set("Content-Encoding", "gzip")
	}
	status, content, err := v.do(ctx, method, path, header, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("%s: status %d, %s", path, status, content)
	}
	if response == nil {
		return nil
	}
	if err := json.Unmarshal(content, response); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// do makes a request and returns the response.
func (v *victim) do(ctx context.Context, method, path string, header http.Header, body io.Reader) (status int, content []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, v.url+path, body)
	if err != nil {
		return 0, nil, fmt.Errorf("making a request: %w", err)
	}
	req.Header = header
	res, err := v.caller.Do(req)
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w", path, err)
	}
	content, err = io.ReadAll(res.Body)
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w", path, err)
	}
	return res.StatusCode, content, res.Body.Close() //nolint:wrapcheck // it was read
}

// dial opens a connection, which close ends.
func (v *victim) dial(ctx context.Context) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", v.address)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.conns = append(v.conns, conn)
	return conn, nil
}

// close ends every connection.
func (v *victim) close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, conn := range v.conns {
		_ = conn.Close()
	}
	v.caller.CloseIdleConnections()
}

// statuses counts responses by their status.
type statuses struct {
	mu     sync.Mutex
	counts map[string]int
}

func (s *statuses) add(status int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = map[string]int{}
	}
	word := strconv.Itoa(status)
	if err != nil {
		word = "connection closed"
	}
	s.counts[word]++
}
