package spool

import "errors"

func crash(string) error { return errors.ErrUnsupported }
