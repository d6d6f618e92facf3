package job

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/joblink"
	"github.com/switchyard-ci/switchyard/internal/job/redact"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// CheckRedactedVars returns an error if a pattern is invalid.
func CheckRedactedVars(globs []string) error {
	for _, glob := range globs {
		if _, err := path.Match(glob, ""); err != nil || glob == "" {
			return fmt.Errorf("invalid glob pattern %q", glob)
		}
	}
	return nil
}

// secretsOf returns the secrets of a job that are known before it runs, and the
// names of variables whose values should be hidden and are too short for it.
func secretsOf(spec Spec, opts Options) (secrets, tooShort []string) {
	secrets = slices.Concat(opts.Secrets, []string{spec.Token}, opts.Inherited.secrets)
	tooShort = slices.Clone(opts.Inherited.tooShort)
	// All values of one name are hidden, not only the one that the job gets.
	for _, env := range []map[string]string{spec.Env, jobVariables(spec)} {
		more, short := secretsAmong(env, opts.RedactedVars)
		secrets, tooShort = append(secrets, more...), append(tooShort, short...)
	}
	return secrets, tooShort
}

// secretsAmong returns the secrets among some variables, and the sorted names of those that
// are too short to be hidden.
func secretsAmong(env map[string]string, globs []string) (secrets, tooShort []string) {
	for name, value := range env {
		for _, secret := range secretsInURLs(globs, name, value) {
			if redact.TooShort(secret) {
				tooShort = append(tooShort, name)
			}
			secrets = append(secrets, secret)
		}
		switch {
		case value == "" || !wire.NamesSecret(globs, name):
		case redact.TooShort(value):
			tooShort = append(tooShort, name)
		default:
			secrets = append(secrets, value)
		}
	}
	slices.Sort(tooShort)
	return secrets, tooShort
}

// secretsInURLs returns the secrets in the URLs of a variable: those of a repository, and
// passwords and secret parameters anywhere, unless the operator wants no variables hidden.
func secretsInURLs(globs []string, name, value string) []string {
	switch {
	case name == wire.EnvRepo, name == wire.EnvPullRequestRepo:
		return wire.RepositorySecrets(value)
	case len(globs) > 0:
		return wire.URLSecrets(value)
	default:
		return nil
	}
}

// hideSecrets hides the secrets of the job in its log, and lets its commands add more.
// It is called before any output.
func (r *run) hideSecrets() {
	secrets, tooShort := secretsOf(r.spec, r.opts)
	if err := r.log.AddSecrets(secrets...); err != nil {
		r.logger.Warn("could not hide secrets in the job's log", zap.Error(err))
		r.log.Notef("the secrets among this job's variables are not hidden in this log: %v", err)
	}
	if len(tooShort) > 0 {
		r.log.Notef("not hidden in this log, because their values have fewer than %d bytes: %s", redact.Minimum, strings.Join(tooShort, ", "))
	}
	r.openLink()
}

// openLink lets the commands of the job add secrets to hide.
func (r *run) openLink() {
	server := r.opts.Links
	if server == nil {
		var err error
		if server, err = joblink.Listen(); errors.Is(err, errors.ErrUnsupported) {
			return
		} else if err != nil {
			r.logger.Warn("the job's commands cannot add secrets to hide", zap.Error(err))
			r.log.Notef("`switchyard redact add` does not work in this job: %v", err)
			return
		}
		r.ownLinks = server
	}
	r.link = server.Add(func(secrets []string) error { return r.log.AddSecrets(secrets...) })
}

// closeLink ends what openLink began.
func (r *run) closeLink() {
	if r.link != nil {
		r.link.Close()
	}
	if r.ownLinks != nil {
		r.ownLinks.Close()
	}
}
