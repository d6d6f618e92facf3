package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// service is a control plane that returns one error, and lists jobs by page.
type service struct {
	switchyardv1connect.UnimplementedJobServiceHandler

	err   error
	pages []string // the page tokens asked for
}

func (s *service) GetJob(_ context.Context, req *switchyardv1.GetJobRequest) (*switchyardv1.GetJobResponse, error) {
	return &switchyardv1.GetJobResponse{Job: &switchyardv1.Job{Id: req.GetId()}}, s.err
}

// ListJobs has 2,500 jobs.
func (s *service) ListJobs(_ context.Context, req *switchyardv1.ListJobsRequest) (*switchyardv1.ListJobsResponse, error) {
	const all = 2500
	from := 0
	if req.GetPageToken() != "" {
		if _, err := fmt.Sscan(req.GetPageToken(), &from); err != nil {
			return nil, connect.NewError(connect.CodeInvalidArgument, err)
		}
	}
	s.pages = append(s.pages, fmt.Sprintf("%d+%d", from, req.GetPageSize()))
	res := &switchyardv1.ListJobsResponse{}
	if from == 0 || req.GetCount() {
		res.Total, res.Earlier = all, int64(from)
	}
	for ; from < all && len(res.GetJobs()) < int(req.GetPageSize()); from++ {
		res.Jobs = append(res.Jobs, &switchyardv1.Job{Id: strconv.Itoa(from)})
	}
	if from < all {
		res.NextPageToken = strconv.Itoa(from)
	}
	return res, nil
}

func serve(t *testing.T, handler http.Handler) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return dial(t, server.URL)
}

func dial(t *testing.T, endpoint string) *Client {
	t.Helper()
	c, err := New(Options{Endpoints: []string{endpoint}, Token: "the-token", UserAgent: "switchyard/test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		code connect.Code
		want string // after "showing job J at URL: "
	}{
		{
			"wrong token", connect.NewError(connect.CodeUnauthenticated, errors.New("bad token")), connect.CodeUnauthenticated,
			"the token was refused: bad token; the control plane keeps its token in the file admin-token of its data directory: " +
				"pass that, or a named token, with --admin-token-file",
		},
		{
			"wrong scope", connect.NewError(connect.CodePermissionDenied, errors.New("no such scope")), connect.CodePermissionDenied,
			"no such scope; use another token: pass its file with --admin-token-file",
		},
		{"unknown job", connect.NewError(connect.CodeNotFound, errors.New("no job J")), connect.CodeNotFound, "no job J"},
		{
			"several lines", connect.NewError(connect.CodeInternal, errors.New("one\n two")), connect.CodeInternal, "one two",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			mux := http.NewServeMux()
			mux.Handle(switchyardv1connect.NewJobServiceHandler(&service{err: tt.err}))
			c := serve(t, mux)
			_, err := c.Job(t.Context(), "J")
			want := "showing job J at " + c.Endpoint() + ": " + tt.want
			if err == nil || err.Error() != want {
				t.Errorf("error\n%v, want\n%s", err, want)
			}
			if failed, ok := errors.AsType[*Error](err); !ok || failed.Code != tt.code {
				t.Errorf("error %#v, want code %v", err, tt.code)
			}
		})
	}
}

// TestNotAControlPlane has one row for each kind of endpoint that is not a control plane.
func TestNotAControlPlane(t *testing.T) {
	t.Parallel()
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not here", http.StatusNotFound) })
	secure := httptest.NewUnstartedServer(page)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // expected
	secure.StartTLS()
	t.Cleanup(secure.Close)
	plain := httptest.NewServer(page)
	t.Cleanup(plain.Close)
	unused, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := unused.Close(); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, endpoint, want string }{
		{"another server", plain.URL, "is this a control plane of Switchyard?"},
		{"no listener", "http://" + unused.Addr().String(), "nothing listens there; is `switchyard up` running?"},
		{"no TLS", "https" + strings.TrimPrefix(plain.URL, "http"), "the server does not speak TLS there; the endpoint may have to begin with http://"},
		{"unknown authority", secure.URL, "the server's certificate is signed by an authority that is not trusted here; name the authority's certificate with --ca-file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := dial(t, tt.endpoint)
			if _, err := c.Job(t.Context(), "J"); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("call: error %v, want one with %q", err, tt.want)
			}
			if _, err := c.Follow(t.Context(), "J", FollowOptions{}, &recorder{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("follow: error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestUnixSocket makes calls and follows a job over a Unix socket.
func TestUnixSocket(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "control.sock")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Skipf("no Unix sockets here: %v", err)
	}
	mux := http.NewServeMux()
	mux.Handle(switchyardv1connect.NewJobServiceHandler(&service{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	c := dial(t, "unix://"+socket)
	if job, err := c.Job(t.Context(), "J"); err != nil || job.GetId() != "J" {
		t.Errorf("got %v, %v", job, err)
	}
	if _, err := c.Follow(t.Context(), "J", FollowOptions{}, &recorder{}); connect.CodeOf(err) != connect.CodeUnimplemented {
		t.Errorf("follow: %v, want the response of the handler", err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	<-served
	// On the connection that was just closed, the request might have been performed.
	_, err = dial(t, "unix://"+socket).Job(t.Context(), "J")
	want := "showing job J at unix://" + socket + ": nothing listens there; is `switchyard up` running?"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
	if failed, ok := errors.AsType[*Error](err); !ok || failed.Uncertain() {
		t.Errorf("got %v, want a certain failure", err)
	}
}

// A request whose connection failed may have been performed; one that was refused was not.
func TestUncertain(t *testing.T) {
	t.Parallel()
	for code, want := range map[connect.Code]bool{
		connect.CodeUnavailable: true, connect.CodeDeadlineExceeded: true, connect.CodeUnknown: true,
		connect.CodeResourceExhausted: false, connect.CodeInvalidArgument: false, connect.CodePermissionDenied: false,
	} {
		if got := (&Error{Code: code, Err: errors.New("x")}).Uncertain(); got != want {
			t.Errorf("%v: uncertain %t, want %t", code, got, want)
		}
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	path, handler := switchyardv1connect.NewJobServiceHandler(&service{})
	mux := http.NewServeMux()
	var header http.Header
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Clone()
		handler.ServeHTTP(w, r)
	})
	if _, err := serve(t, mux).Job(t.Context(), "J"); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Authorization": "Bearer the-token", "User-Agent": "switchyard/test"} {
		if got := header.Get(name); got != want {
			t.Errorf("%s %q, want %q", name, got, want)
		}
	}
}

// TestNoRedirect shows that the token does not follow a redirect.
func TestNoRedirect(t *testing.T) {
	t.Parallel()
	reached := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	t.Cleanup(elsewhere.Close)
	c := serve(t, http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	if _, err := c.Job(t.Context(), "J"); err == nil {
		t.Error("no error")
	}
	if reached {
		t.Error("the redirect was followed")
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		token string
		from  int
		limit int
		want  int
		pages string
	}{
		{"a limit below a page", "", 0, 3, 3, "[0+3]"},
		{"a limit over several pages", "", 0, 1200, 1200, "[0+1000 1000+200]"},
		{"all", "", 0, 0, 2500, "[0+1000 1000+1000 2000+1000]"},
		{"more than there are", "", 0, 9000, 2500, "[0+1000 1000+1000 2000+1000]"},
		{"a later page", "1000", 1000, 3, 3, "[1000+3]"},
		{"everything from a later page on", "1000", 1000, 0, 1500, "[1000+1000 2000+1000]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			control := &service{}
			mux := http.NewServeMux()
			mux.Handle(switchyardv1connect.NewJobServiceHandler(control))
			n := 0
			list := serve(t, mux).Jobs(t.Context(), &switchyardv1.ListJobsRequest{PageToken: tt.token}, tt.limit)
			for job, err := range list.All() {
				if err != nil {
					t.Fatal(err)
				}
				if job.GetId() != strconv.Itoa(tt.from+n) {
					t.Fatalf("job %s, want %d", job.GetId(), tt.from+n)
				}
				n++
			}
			if more := tt.from+n < 2500; list.Total != 2500 || list.Earlier != int64(tt.from) || (list.Next != "") != more {
				t.Errorf("%d of %d before, next page %q after %d jobs", list.Earlier, list.Total, list.Next, n)
			}
			if n != tt.want || fmt.Sprint(control.pages) != tt.pages {
				t.Errorf("%d jobs in pages %v, want %d in %s", n, control.pages, tt.want, tt.pages)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		opts Options
		want string
	}{
		{Options{Endpoints: []string{"127.0.0.1:7420"}}, "endpoint must begin with http://"},
		{Options{Endpoints: []string{"http://"}}, "endpoint has no host"},
		{Options{Endpoints: []string{"http://h?x=1"}}, "endpoint must not contain a query"},
		{Options{Endpoints: []string{"http://u:p@h"}}, "must not contain a user name or password"},
	}
	for _, tt := range tests {
		if _, err := New(tt.opts); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: error %v, want one with %q", tt.opts, err, tt.want)
		}
	}
}
