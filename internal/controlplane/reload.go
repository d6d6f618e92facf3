package controlplane

import (
	"errors"
	"fmt"
)

// Reload reads the files of the certificate and of the tokens again. c is the
// configuration as it is read now; of it, only RegistrationToken and AdminToken count.
//
// It returns the names of what has changed. An error names what cannot be used, whose
// old value stays in use; the others are replaced. A replaced token is refused from the
// return on, also on connections that are open; registered workers keep their sessions,
// and streams go on. Reload may be called concurrently.
func (s *Server) Reload(c Config) (changed []string, err error) {
	var errs []error
	if s.certificate != nil {
		replaced, err := s.certificate.Reload()
		if err != nil {
			errs = append(errs, fmt.Errorf("certificate: %w", err))
		} else if replaced {
			changed = append(changed, "certificate")
		}
	}
	replaced, err := s.tokens.load(s.dir.path, c)
	if err != nil {
		errs = append(errs, err)
	}
	s.parts.Access.StoreFiles()
	return append(changed, replaced...), errors.Join(errs...)
}
