package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"connectrpc.com/connect"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/admission"
	"github.com/switchyard-ci/switchyard/internal/controlplane/api"
	"github.com/switchyard-ci/switchyard/internal/controlplane/web/session"
)

// policy allows a page its own files, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// maxForm bounds the body of a form, in bytes. A job has at most 512 KiB, which grow when
// they are encoded.
const maxForm = 2 << 20

// problem is an error with a status of HTTP and a text for the reader.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

// secure sets the headers that every response has.
func secure(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

// guard returns the handler of a route, behind the session and the rule of the route. A
// request is refused by its header alone.
func (s *site) guard(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		secure(w.Header())
		caller, err := s.authorize(r, rt)
		if err != nil {
			admission.LeaveBody(w, r)
			s.refuse(w, r, err)
			return
		}
		r = r.WithContext(access.WithPrincipal(r.Context(), caller))
		if r.Method == http.MethodPost {
			if err := parseForm(w, r); err != nil {
				s.fail(w, r, err)
				return
			}
		}
		serve := func(w http.ResponseWriter, r *http.Request) {
			if err := rt.serve(s, w, r); err != nil && !errors.Is(err, errGone) {
				s.fail(w, r, err)
			}
		}
		if rt.shared && r.Header.Get(partsHeader) != "" {
			s.shared.serve(w, r, caller.TokenID+" "+r.URL.RequestURI(), serve)
			return
		}
		serve(w, r)
	})
}

// authorize returns the caller of a request, which the rule of the route must allow.
func (s *site) authorize(r *http.Request, rt route) (access.Principal, error) {
	if err := s.origin.Check(r); err != nil {
		return access.Principal{}, &problem{http.StatusForbidden, "The request does not come from this page. Open the page again."}
	}
	caller, err := s.caller(r)
	if err != nil {
		return caller, err
	}
	if rt.procedure != "" && !api.Allows(caller.Scope, rt.procedure) {
		return caller, &problem{
			http.StatusForbidden, fmt.Sprintf("Token %q has the scope %s, which does not allow this.", caller.Name, caller.Scope),
		}
	}
	return caller, nil
}

// caller returns who has the session of a request. session.ErrInvalid, access.ErrRefused,
// or an error of the store.
func (s *site) caller(r *http.Request) (access.Principal, error) {
	id, err := s.sessions.TokenID(r)
	if err != nil {
		return access.Principal{}, fmt.Errorf("reading the session: %w", err)
	}
	caller, err := s.Tokens.Holder(r.Context(), id)
	if err != nil {
		return access.Principal{}, fmt.Errorf("checking the token of the session: %w", err)
	}
	if caller.Scope == access.Register {
		return access.Principal{}, session.ErrInvalid
	}
	caller.Address = access.HostOf(r.RemoteAddr)
	return caller, nil
}

// refuse responds to a request without a session that allows it.
func (s *site) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if !errors.Is(err, session.ErrInvalid) && !errors.Is(err, access.ErrRefused) {
		s.fail(w, r, err)
		return
	}
	if r.Method == http.MethodGet && wantsPage(r) {
		http.Redirect(w, r, "/signin?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		return
	}
	http.Error(w, "no session, or it has ended; sign in at /signin", http.StatusUnauthorized)
}

// parseForm reads the form of a POST.
func parseForm(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return &problem{http.StatusBadRequest, "The form cannot be read, or has more than 2 MiB."}
	}
	return nil
}

// fail responds with an error page. It logs what the reader cannot know.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, text, ok := explained(err)
	if !ok {
		if r.Context().Err() != nil {
			return // the reader has gone
		}
		s.Logger.Warn("page not served", zap.String("path", r.URL.Path), zap.Error(err))
		status, text = http.StatusServiceUnavailable, "The store does not answer. Try again."
	}
	v := s.view(r, http.StatusText(status))
	v.Data = text
	s.pages.render(w, status, "error", v, s.Logger)
}

// explained returns the status and the text of an error that is for the reader, and reports
// whether it is one.
func explained(err error) (status int, text string, ok bool) {
	if p, is := errors.AsType[*problem](err); is {
		return p.status, p.text, true
	}
	if coded, is := errors.AsType[*connect.Error](err); is {
		return statusOf(coded.Code()), punctuated(coded.Message()), true
	}
	return 0, "", false
}

// statusOf returns the status of HTTP for a code.
func statusOf(code connect.Code) int {
	switch code {
	case connect.CodeInvalidArgument, connect.CodeResourceExhausted:
		return http.StatusBadRequest
	case connect.CodeNotFound:
		return http.StatusNotFound
	case connect.CodePermissionDenied:
		return http.StatusForbidden
	case connect.CodeAlreadyExists, connect.CodeFailedPrecondition:
		return http.StatusConflict
	case connect.CodeUnavailable, connect.CodeDeadlineExceeded:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// punctuated returns a message that begins with a capital letter and ends with a full stop.
func punctuated(message string) string {
	if message == "" {
		return message
	}
	return strings.ToUpper(message[:1]) + message[1:] + "."
}
