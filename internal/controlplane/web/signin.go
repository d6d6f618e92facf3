package web

import (
	"errors"
	"net/http"
	"strings"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/admission"
	"github.com/switchyard-ci/switchyard/internal/controlplane/refusal"
	"github.com/switchyard-ci/switchyard/internal/controlplane/web/session"
)

// maxSignIn bounds the body of the form with a token, in bytes.
const maxSignIn = 8 << 10

// signInData is what the form to sign in shows.
type signInData struct{ Problem, Next string }

func (s *site) signInForm(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if _, err := s.caller(r); err == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	s.askForToken(w, http.StatusOK, signInData{Next: local(r.URL.Query().Get("next"))})
}

func (s *site) askForToken(w http.ResponseWriter, status int, data signInData) {
	v := view{Title: "Sign in", Data: data}
	s.pages.render(w, status, "signin", v, s.Logger)
}

// signIn begins a session. It is the only form that is read without one.
func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	address := access.HostOf(r.RemoteAddr)
	refuse := func(status int, problem string) {
		s.askForToken(w, status, signInData{problem, local(r.PostForm.Get("next"))})
	}
	if err := s.origin.Check(r); err != nil {
		admission.LeaveBody(w, r)
		http.Error(w, "the request does not come from this page", http.StatusForbidden)
		return
	}
	succeeded, ok := s.limit.Begin(address, s.now())
	if !ok {
		admission.LeaveBody(w, r)
		w.Header().Set("Retry-After", "10")
		refuse(http.StatusTooManyRequests, "Too many sign-ins from this address have failed. Wait a moment and try again.")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxSignIn)
	if err := r.ParseForm(); err != nil {
		refuse(http.StatusBadRequest, "The form cannot be read.")
		return
	}
	presented := strings.TrimSpace(r.PostForm.Get("token"))
	caller, id, err := s.Tokens.SignIn(r.Context(), presented)
	reason := ""
	switch {
	case errors.Is(err, access.ErrRefused):
		reason = err.Error()
	case err != nil:
		succeeded() // not a wrong guess
		s.Logger.Warn("sign-in not served, store unavailable", zap.Error(err))
		refuse(http.StatusServiceUnavailable, "The store does not answer. Try again.")
		return
	case caller.Scope == access.Register:
		reason = "a token with the scope register is for agents; sign in with one of another scope"
	}
	if reason != "" {
		s.refusals.Refused(refusal.Refusal{Method: r.Method, Route: "/signin", Address: address, Presented: presented, Reason: reason})
		refuse(http.StatusUnauthorized, punctuated(reason))
		return
	}
	succeeded()
	cookie, err := s.sessions.Cookie(r, id)
	if err != nil {
		s.Logger.Warn("sign-in not served, no key for sessions", zap.Error(err))
		refuse(http.StatusServiceUnavailable, "The store does not answer. Try again.")
		return
	}
	http.SetCookie(w, cookie)
	s.Logger.Info("signed in to the web page", append(caller.Fields()[:2:2], zap.String("address", address))...)
	http.Redirect(w, r, local(r.PostForm.Get("next")), http.StatusSeeOther)
}

// errOftenSignedOut is returned if too many sessions of a token have been ended.
var errOftenSignedOut = errors.New("too many sessions of the token were ended just now")

// signOut ends the session, and removes its cookie. It needs no session.
func (s *site) signOut(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	admission.LeaveBody(w, r)
	if err := s.origin.Check(r); err != nil {
		http.Error(w, "the request does not come from this page", http.StatusForbidden)
		return
	}
	err := s.sessions.End(r, func(tokenID string) error {
		if _, ok := s.signOuts.Begin(tokenID, s.now()); !ok {
			return errOftenSignedOut
		}
		return nil
	})
	http.SetCookie(w, session.Removal(r))
	if err != nil && !errors.Is(err, session.ErrInvalid) {
		s.Logger.Warn("session not ended, only removed from its browser", zap.Error(err))
		s.askForToken(w, http.StatusServiceUnavailable, signInData{
			Problem: "This browser is signed out, but the store does not keep that now: " +
				"a copy of the session's cookie could be used until its time is over.",
			Next: "/",
		})
		return
	}
	http.Redirect(w, r, "/signin", http.StatusSeeOther)
}

// local returns the path to go to after the sign-in: one of this server.
func local(next string) string {
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.HasPrefix(next, "/sign") ||
		strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}
