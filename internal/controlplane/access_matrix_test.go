package controlplane_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/controlplane/agentwire"
	"github.com/switchyard-ci/switchyard/internal/controlplane/api"
	"github.com/switchyard-ci/switchyard/internal/controlplane/profiles"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/controlplane/web"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

var update = flag.Bool("update", false, "rewrite testdata/access.txt and the table of the metrics")

var trailingSpace = regexp.MustCompile(` +\n`)

// The results on a token, in testdata/access.txt.
const (
	allowed     = "yes"
	refused     = "401" // the token is missing, unknown, of another kind, or has ended
	noScope     = "403" // the token has another scope
	otherJob    = "404" // the token belongs to another job
	unavailable = "?"   // anything else: the test fails
)

// matrix is a control plane whose handler is called directly.
type matrix struct {
	t       *testing.T
	bed     *bed
	handler http.Handler
	named   map[string]string // the named tokens, by column

	addresses atomic.Int32 // from which sign-ins came
}

// columns are the kinds of token, in the order of the table.
var columns = []string{
	"none", "wrong", "registration", "session", "other session", "job", "other job", "ended job", "revoked worker", "admin",
	"register", "submit", "read", "operate", "revoked", "expired",
}

// TestEveryRouteByToken presents every kind of token to every route, in every
// protocol, and compares the responses with testdata/access.txt. The routes are
// those of the route table and of the service descriptors, so a new one is a
// difference. A refused request must be refused by its header: its body fails the
// test when it is read.
func TestEveryRouteByToken(t *testing.T) {
	m := newMatrix(t)
	var table bytes.Buffer
	fmt.Fprintf(&table, "%-52s", "route")
	for _, name := range columns {
		fmt.Fprintf(&table, " %-13s", strings.ReplaceAll(name, " ", "-"))
	}
	table.WriteString("\n")
	line := func(name string, result func(column string) string) {
		fmt.Fprintf(&table, "%-52s", name)
		for _, column := range columns {
			got := result(column)
			if got == unavailable {
				t.Errorf("%s with token %s: the response is neither a refusal nor one of the call", name, column)
			}
			if got != refused && slices.Contains([]string{"none", "wrong", "revoked worker", "revoked", "expired"}, column) {
				t.Errorf("%s is served to callers with the token %q: %s", name, column, got)
			}
			fmt.Fprintf(&table, " %-13s", got)
		}
		table.WriteString("\n")
	}
	routes := append(agentwire.Routes(), agentwire.Route{Method: "POST", Path: "/v3/unknown"})
	for _, route := range routes {
		line(route.Method+" "+route.Path, func(column string) string { return m.rest(route, column) })
	}
	line("GET "+api.MetricsPath, func(column string) string { return m.get(api.MetricsPath, column) })
	for _, path := range profiles.Paths() { // a profile of no time is refused after the token
		line("GET "+path, func(column string) string { return m.get(path+"?seconds=0", column) })
	}
	for _, route := range web.Routes() {
		line(route.Pattern, func(column string) string { return m.page(route, column) })
	}
	for _, method := range procedures(t) {
		line(string(method.FullName()), func(column string) string { return m.rpc(method, column) })
	}
	got := trailingSpace.ReplaceAllString(table.String(), "\n")
	path := filepath.Join("testdata", "access.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("who may do what differs from %s (-update rewrites it):\n%s", path, got)
	}
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	m := &matrix{t: t}
	m.bed = start(t, func(c *controlplane.Config) {
		c.Wrap = func(next http.Handler) http.Handler {
			m.handler = next
			return next
		}
	})
	m.named = map[string]string{
		"register": m.bed.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_REGISTER),
		"submit":   m.bed.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_SUBMIT),
		"read":     m.bed.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_READ),
		"operate":  m.bed.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_OPERATE),
		"revoked":  m.bed.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_OPERATE),
		"expired":  m.bed.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_OPERATE, expiringAtOnce),
	}
	id, _ := token.Named.ID(m.named["revoked"])
	if _, err := m.bed.tokens.RevokeToken(t.Context(), &switchyardv1.RevokeTokenRequest{Id: id}); err != nil {
		t.Fatal(err)
	}
	return m
}

// procedures returns every call of the services that the port serves to callers
// with a token.
func procedures(t *testing.T) []protoreflect.MethodDescriptor {
	t.Helper()
	var methods []protoreflect.MethodDescriptor
	protoregistry.GlobalFiles.RangeFiles(func(file protoreflect.FileDescriptor) bool {
		if pkg := file.Package(); pkg != "switchyard.v1" && pkg != "agentedge.v1" {
			return true
		}
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				methods = append(methods, service.Methods().Get(j))
			}
		}
		return true
	})
	slices.SortFunc(methods, func(a, b protoreflect.MethodDescriptor) int {
		return strings.Compare(string(a.FullName()), string(b.FullName()))
	})
	if len(methods) < 10 {
		t.Fatalf("only %d procedures were found", len(methods))
	}
	return methods
}

// owner has the tokens of a worker and of its job.
type owner struct{ id, session, jobID, job string }

// own returns a worker with a job that it has accepted.
func (m *matrix) own(name string) owner {
	m.t.Helper()
	w := m.bed.register(name, name)
	job := m.bed.accepted(w, queued(name))
	return owner{w.id, w.token, job.text("id"), job.text("token")}
}

// revoke turns a worker away.
func (m *matrix) revoke(o owner) {
	m.t.Helper()
	if _, err := m.bed.workers.RevokeWorker(m.t.Context(), &switchyardv1.RevokeWorkerRequest{Id: o.id}); err != nil {
		m.t.Fatal(err)
	}
}

// rest returns the result of a REST route on a kind of token. Each request has its
// own worker and job, because an allowed one may end them.
func (m *matrix) rest(route agentwire.Route, column string) string {
	m.t.Helper()
	queue := "q" + strconv.FormatInt(time.Now().UnixNano(), 36)
	mine := m.own(queue)
	id := mine.jobID
	presented := map[string]string{"session": mine.session, "job": mine.job}[column]
	switch column {
	case "other session", "other job":
		other := m.own(queue + "-other")
		presented = map[string]string{"other session": other.session, "other job": other.job}[column]
	case "ended job":
		m.bed.must(http.StatusOK, request{method: "PUT", path: "/v3/jobs/" + id + "/start", token: mine.job, body: "{}"})
		m.bed.must(http.StatusOK, request{method: "PUT", path: "/v3/jobs/" + id + "/finish", token: mine.job, body: `{"exit_status":"0"}`})
		presented = mine.job
	case "session", "job":
	case "revoked worker":
		m.revoke(mine)
		presented = mine.session
		if strings.Contains(route.Path, "{id}") {
			presented = mine.job
		}
	default:
		presented = m.lasting(column)
	}
	res := m.send(route.Method, strings.ReplaceAll(route.Path, "{id}", id), "Token "+presented, nil)
	switch res.status {
	case http.StatusUnauthorized:
		return m.unread(res, refused)
	case http.StatusForbidden:
		return m.unread(res, noScope)
	case http.StatusNotFound:
		return m.unread(res, otherJob)
	case http.StatusServiceUnavailable, http.StatusInternalServerError:
		return unavailable
	}
	return allowed
}

// get returns the result of reading a path on a kind of token.
func (m *matrix) get(path, column string) string {
	m.t.Helper()
	return m.resultOf(m.send(http.MethodGet, path, "Bearer "+m.presented(column), nil))
}

// page returns the result of a route of the web page, after a sign-in with a kind of token.
func (m *matrix) page(route web.Route, column string) string {
	m.t.Helper()
	form := url.Values{"token": {m.presented(column)}}
	r := httptest.NewRequestWithContext(m.t.Context(), http.MethodPost, "/signin", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", m.addresses.Add(1)%200) // failures are limited by address
	w := recorder{httptest.NewRecorder(), func() {}}
	m.handler.ServeHTTP(w, r)
	header := http.Header{}
	for _, cookie := range w.Result().Cookies() {
		header.Add("Cookie", cookie.Name+"="+cookie.Value)
	}
	method, path, _ := strings.Cut(route.Pattern, " ")
	path = strings.NewReplacer("{$}", "", "{id}", unknownID, "{kind}/{name}", "job/queued.svg").Replace(path)
	ctx, cancel := context.WithTimeout(m.t.Context(), waitLimit)
	defer cancel()
	begun := func() {}
	if route.Stream { // its reader leaves when it has begun
		begun = cancel
	}
	return m.resultOf(m.sendUntil(ctx, begun, method, path, "", header))
}

// presented returns a token of a kind for a call of people.
func (m *matrix) presented(column string) string {
	m.t.Helper()
	switch column {
	case "session", "other session", "job", "other job", "ended job", "revoked worker":
		mine := m.own("q" + strconv.FormatInt(time.Now().UnixNano(), 36))
		if column == "revoked worker" {
			m.revoke(mine)
		}
		if strings.HasSuffix(column, "job") {
			return mine.job
		}
		return mine.session
	}
	return m.lasting(column)
}

// lasting returns a token that no call ends.
func (m *matrix) lasting(column string) string {
	switch column {
	case "wrong":
		return strings.Repeat("x", 40)
	case "registration":
		return m.bed.RegistrationToken()
	case "admin":
		return m.bed.AdminToken()
	}
	return m.named[column]
}

// protocolTypes are the content types of the protocols of a procedure.
func protocolTypes(method protoreflect.MethodDescriptor) []string {
	types := []string{
		"application/grpc", "application/grpc+proto", "application/grpc+json",
		"application/grpc-web", "application/grpc-web+proto", "application/grpc-web+json",
	}
	if method.IsStreamingServer() {
		return append(types, "application/connect+proto", "application/connect+json")
	}
	return append(types, "application/proto", "application/json")
}

// rpc returns the result of a procedure on a kind of token, which must be the same
// over every protocol.
func (m *matrix) rpc(method protoreflect.MethodDescriptor, column string) string {
	m.t.Helper()
	scheme := "Bearer "
	if method.ParentFile().Package() == "agentedge.v1" {
		scheme = "Token "
	}
	presented := m.presented(column)
	path := "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
	results := map[string]string{}
	for _, contentType := range protocolTypes(method) {
		res := m.send(http.MethodPost, path, scheme+presented, http.Header{"Content-Type": {contentType}})
		results[contentType] = m.resultOf(res)
	}
	// A request of no protocol, and Connect's GET.
	for name, res := range map[string]sent{
		"text/plain": m.send(http.MethodPost, path, scheme+presented, http.Header{"Content-Type": {"text/plain"}}),
		"GET":        m.send(http.MethodGet, path+"?connect=v1&encoding=json&message=%7B%7D", scheme+presented, nil),
	} {
		results[name] = m.resultOf(res)
	}
	first := results["application/grpc"]
	for protocol, result := range results {
		if result != first {
			m.t.Errorf("%s with token %s: %s over %s, but %s over gRPC", path, column, result, protocol, first)
		}
	}
	return first
}

// resultOf returns the result of a response in any of the protocols of an RPC.
func (m *matrix) resultOf(res sent) string {
	m.t.Helper()
	body := res.body
	switch {
	case res.status == http.StatusUnauthorized, res.grpcStatus == "16", strings.Contains(body, `"code":"unauthenticated"`), strings.Contains(body, "grpc-status: 16"):
		return m.unread(res, refused)
	case res.status == http.StatusForbidden, res.grpcStatus == "7", strings.Contains(body, `"code":"permission_denied"`), strings.Contains(body, "grpc-status: 7"):
		if strings.Contains(body+res.grpcMessage, "agent_id") {
			return allowed // the token is good; the request, which was read, names no worker
		}
		return m.unread(res, noScope)
	case res.status >= http.StatusInternalServerError:
		return unavailable
	}
	return allowed
}

// unread returns the result, and fails the test if the refused request was read.
func (m *matrix) unread(res sent, result string) string {
	m.t.Helper()
	if res.read {
		m.t.Errorf("%s: refused with %s, but the body was read", res.what, result)
	}
	return result
}

// sent is the response to a request, and whether its body was read.
type sent struct {
	what                          string
	status                        int
	body, grpcStatus, grpcMessage string
	read                          bool
}

// send passes a request to the handler of the port. Its body is empty.
func (m *matrix) send(method, path, authorization string, header http.Header) sent {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), waitLimit)
	defer cancel()
	return m.sendUntil(ctx, func() {}, method, path, authorization, header)
}

// sendUntil is send with a context, and a function that is called when the response begins.
func (m *matrix) sendUntil(ctx context.Context, begun func(), method, path, authorization string, header http.Header) sent {
	m.t.Helper()
	body := &watchedBody{}
	req := httptest.NewRequestWithContext(ctx, method, path, body)
	req.ProtoMajor, req.ProtoMinor, req.Proto = 2, 0, "HTTP/2.0" // gRPC needs it
	if header != nil {
		req.Header = header
	}
	if _, presented, _ := strings.Cut(authorization, " "); presented != "" {
		req.Header.Set("Authorization", authorization)
	}
	w := recorder{httptest.NewRecorder(), begun}
	m.handler.ServeHTTP(w, req)
	res := w.Result()
	status, message := res.Trailer.Get("Grpc-Status"), res.Trailer.Get("Grpc-Message")
	if status == "" { // a response without a body has its trailers among the headers
		status, message = res.Header.Get("Grpc-Status"), res.Header.Get("Grpc-Message")
	}
	return sent{
		what: method + " " + path + " " + header.Get("Content-Type"), status: res.StatusCode, body: w.Body.String(),
		grpcStatus: status, grpcMessage: message, read: body.read,
	}
}

// watchedBody is an empty body that knows whether it was read.
type watchedBody struct{ read bool }

func (b *watchedBody) Read([]byte) (int, error) {
	b.read = true
	return 0, io.EOF
}

// recorder records a response. Its deadlines have no effect.
type recorder struct {
	*httptest.ResponseRecorder

	begun func() // called by each flush
}

func (r recorder) Flush() {
	r.ResponseRecorder.Flush()
	r.begun()
}

func (recorder) SetReadDeadline(time.Time) error  { return nil }
func (recorder) SetWriteDeadline(time.Time) error { return nil }
