package store

import (
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// Version is the version of what is stored: of the streams, their subjects and
	// records. Every version up to it can be read. Version 1 has no stamp; 2 has
	// records in packed form and markers of deleted jobs.
	Version = 2
	// versionKey and restoringKey are keys of the meta-data of a stream. The value of
	// the first is a version; the second is there during a restore.
	versionKey   = "switchyard.store_version"
	restoringKey = "switchyard.restoring"
)

// checkVersion returns an error for a stream that this program cannot read.
func (s *Store) checkVersion(c jetstream.StreamConfig) error {
	if _, ok := c.Metadata[restoringKey]; ok && !s.opts.restoring {
		return fmt.Errorf("the restore of a backup into the store at %s did not complete; "+
			"remove that store and restore again", s.address())
	}
	text, stamped := c.Metadata[versionKey]
	if !stamped {
		return nil // version 1
	}
	version, err := strconv.Atoi(text)
	if err != nil || version > Version {
		return fmt.Errorf("the store at %s was written by a newer version of this program (version %s of the store; this program reads "+
			"versions up to %d); run that version, or restore a backup that was made before the upgrade", s.address(), text, Version)
	}
	return nil
}

// stampVersion sets the version of a stream.
func (s *Store) stampVersion(c *jetstream.StreamConfig) {
	if c.Metadata == nil {
		c.Metadata = map[string]string{}
	}
	c.Metadata[versionKey] = strconv.Itoa(Version)
	delete(c.Metadata, restoringKey)
	if s.opts.restoring && !s.restored {
		c.Metadata[restoringKey] = "true"
	}
}
