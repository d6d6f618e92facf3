//go:build !linux

package smalldisk

import "errors"

var errNoSpace = errors.ErrUnsupported

func mount(string, string) error { return errors.ErrUnsupported }

func unmount(string) error { return nil }
