package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

const (
	fewFollowers, manyFollowers = 20, 100
	// bombs are how many large requests are made at once.
	bombs = 20
	// bombBytes is the size of the body of a submission, decompressed: nearly the largest
	// that is read. emptyStrings is a field of the request that repeats.
	bombBytes    = 3 << 20
	chunkBomb    = 200 << 20
	dataBytes    = 900 << 10
	tagBytes     = 200 << 10
	halfOpen     = 1000
	streamsAtOne = 500
	floods       = 100
	// attackTime bounds one attack, and floodTime how long followers do not read.
	attackTime = 20 * time.Second
	floodTime  = 5 * time.Second
)

// String returns how often each status was the response.
func (s *statuses) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	words := make([]string, 0, len(s.counts))
	for _, status := range slices.Sorted(maps.Keys(s.counts)) {
		words = append(words, fmt.Sprintf("%d x %s", s.counts[status], status))
	}
	return strings.Join(words, ", ")
}

// atOnce makes n POST requests at the same time and returns how they ended.
func (v *victim) atOnce(ctx context.Context, n int, path string, header http.Header, body func() io.Reader) string {
	ctx, cancel := context.WithTimeout(ctx, attackTime)
	defer cancel()
	var all sync.WaitGroup
	var ended statuses
	for range n {
		all.Go(func() {
			status, _, err := v.do(ctx, http.MethodPost, path, header.Clone(), body())
			ended.add(status, err)
		})
	}
	all.Wait()
	return ended.String()
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			h.Set(pairs[i], pairs[i+1])
		}
	}
	return h
}

// anonymous returns no Authorization header, stranger one with a wrong token, and operator
// that of the administrator.
func anonymous(*victim) string  { return "" }
func stranger(*victim) string   { return "Bearer wrong" }
func operator(v *victim) string { return "Bearer " + v.admin }

// compressedBodies submits jobs of a million empty strings, in a few kilobytes each, with
// an Authorization header.
func compressedBodies(authorization func(*victim) string) func(context.Context, *victim) (string, error) {
	return func(ctx context.Context, v *victim) (string, error) {
		body := compressed(bytes.Repeat([]byte{0x0a, 0}, bombBytes/2))
		return v.atOnce(ctx, bombs, switchyardv1connect.JobServiceSubmitJobProcedure,
			header("Authorization", authorization(v), "Content-Type", "application/proto", "Content-Encoding", "gzip"),
			func() io.Reader { return bytes.NewReader(body) }), nil
	}
}

// endless is a body that never ends.
type endless struct{}

// Read fills p.
func (endless) Read(p []byte) (int, error) { return len(p), nil }

// endlessBodies sends bodies without an end to both APIs.
func endlessBodies(authorization string) func(context.Context, *victim) (string, error) {
	return func(ctx context.Context, v *victim) (string, error) {
		paths := []string{"/v3/register", switchyardv1connect.JobServiceSubmitJobProcedure}
		words := make([]string, 0, len(paths))
		for _, path := range paths {
			words = append(words, v.atOnce(ctx, bombs/2, path,
				header("Authorization", authorization, "Content-Type", "application/json"), func() io.Reader { return endless{} }))
		}
		return strings.Join(words, "; "), nil
	}
}

// halfRequests opens connections and sends a part of the header of a request on each.
func halfRequests(ctx context.Context, v *victim) (string, error) {
	part := "POST /v3/register HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 16<<10)
	for range halfOpen {
		conn, err := v.dial(ctx)
		if err != nil {
			return "", err
		}
		if _, err := io.WriteString(conn, part); err != nil {
			return "", fmt.Errorf("sending a part of a request: %w", err)
		}
	}
	return "open", pause(ctx, floodTime)
}

// streamsOf opens streams with an Authorization header that is refused.
func streamsOf(authorization string) func(context.Context, *victim) (string, error) {
	return func(ctx context.Context, v *victim) (string, error) {
		return v.openStreams(ctx, authorization), nil
	}
}

// streamsOfWorker opens many streams of one worker, of which one may stay.
func streamsOfWorker(ctx context.Context, v *victim) (string, error) {
	return v.openStreams(ctx, "Token "+v.session), nil
}

// openStreams opens streams of the worker for a while.
func (v *victim) openStreams(ctx context.Context, authorization string) string {
	ctx, cancel := context.WithTimeout(ctx, floodTime)
	defer cancel()
	message := fmt.Appendf(nil, `{"agentId":%q}`, v.workerID)
	return v.atOnce(ctx, streamsAtOne, agentedgev1connect.AgentEdgeServiceStreamPingsProcedure,
		header("Authorization", authorization, "Content-Type", "application/connect+json"),
		func() io.Reader { return bytes.NewReader(envelope(message)) })
}

// bombsOfJob sends log chunks that are far larger than they say.
func bombsOfJob(ctx context.Context, v *victim) (string, error) {
	body := compressed(make([]byte, chunkBomb))
	return v.atOnce(ctx, bombs, "/v3/jobs/"+v.jobID+"/chunks?sequence=1&offset=0&size=1000",
		header("Authorization", "Token "+v.jobKey, "Content-Encoding", "gzip"),
		func() io.Reader { return bytes.NewReader(body) }), nil
}

// dataOfJob sends large meta-data of the job's build.
func dataOfJob(ctx context.Context, v *victim) (string, error) {
	body := `{"key":"x","value":"` + strings.Repeat("<", dataBytes) + `"}`
	return v.atOnce(ctx, bombs, "/v3/jobs/"+v.jobID+"/data/set",
		header("Authorization", "Token "+v.jobKey, "Content-Type", "application/json"),
		func() io.Reader { return strings.NewReader(body) }), nil
}

// largeRegistrations registers workers with large tags.
func largeRegistrations(ctx context.Context, v *victim) (string, error) {
	body := `{"name":"evil","meta_data":["x=` + strings.Repeat("<", tagBytes) + `"]}`
	return v.atOnce(ctx, floods, "/v3/register",
		header("Authorization", "Token "+v.registration, "Content-Type", "application/json"),
		func() io.Reader { return strings.NewReader(body) }), nil
}

// followersOf follows the log with that many callers, each on a connection of its own,
// who never read.
func followersOf(n int, http2 bool) func(context.Context, *victim) (string, error) {
	return func(ctx context.Context, v *victim) (string, error) {
		request, err := proto.Marshal(&switchyardv1.FollowJobRequest{Id: v.jobID})
		if err != nil {
			return "", fmt.Errorf("encoding a request: %w", err)
		}
		body := envelope(request)
		for range n {
			if http2 {
				err = v.follow(ctx, body)
			} else {
				err = v.followRaw(ctx, body)
			}
			if err != nil {
				return "", err
			}
		}
		return "open", pause(ctx, floodTime)
	}
}

// followRaw follows with HTTP/1.1 and does not even read the header of the response.
func (v *victim) followRaw(ctx context.Context, body []byte) error {
	conn, err := v.dial(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/connect+proto\r\nContent-Length: %d\r\n\r\n%s",
		switchyardv1connect.JobServiceFollowJobProcedure, v.admin, len(body), body)
	if err != nil {
		return fmt.Errorf("following: %w", err)
	}
	return nil
}

// follow follows with HTTP/2, whose client reads as far as its window allows.
func (v *victim) follow(ctx context.Context, body []byte) error {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	ctx, cancel := context.WithCancel(ctx)
	url := v.url + switchyardv1connect.JobServiceFollowJobProcedure
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err == nil {
		req.Header = header("Authorization", "Bearer "+v.admin, "Content-Type", "application/connect+proto")
		var res *http.Response
		if res, err = transport.RoundTrip(req); err == nil { //nolint:bodyclose // close ends it
			v.mu.Lock()
			defer v.mu.Unlock()
			v.conns = append(v.conns, closerFunc(func() error {
				cancel()
				transport.CloseIdleConnections()
				return res.Body.Close()
			}))
			return nil
		}
	}
	cancel()
	return fmt.Errorf("following: %w", err)
}

// closerFunc is an io.Closer.
type closerFunc func() error

// Close calls the function.
func (f closerFunc) Close() error { return f() }
