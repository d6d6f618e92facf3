package store

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"
)

// Data is the stored record of a build's meta-data: what its jobs leave there for
// one another. It is a value; Values is never changed in place.
type Data struct {
	// Values are the values by their keys.
	Values map[string]string `json:"values"`
	// Revision is what PutData expects to replace; 0 is none.
	Revision uint64 `json:"-"`
}

// governData makes the stream of meta-data. It is one of its own, because those
// who watch the state have no use for it. It expires by age as logs do, counted
// from the last change, so that it never outlives the record of the job that made
// that change, and no crash can leave it behind.
func (s *Store) governData(c *jetstream.StreamConfig) {
	c.Description = "Switchyard: meta-data of builds"
	c.Subjects = []string{dataPrefix + ">"}
	c.MaxMsgsPerSubject = 1
	c.MaxAge = s.opts.Retention
	c.Duplicates = min(duplicateWindow, s.opts.Retention)
	c.Compression = jetstream.S2Compression
}

// PutData stores a build's meta-data in the place of the record of data.Revision,
// or as a new one if that is 0, and answers with it and its new revision. It
// expires Retention later. ErrConflict, ErrTooLarge, ErrUnavailable.
func (s *Store) PutData(ctx context.Context, buildID string, data Data) (Data, error) {
	var err error
	data.Revision, err = s.put(ctx, dataPrefix+buildID, data, data.Revision, 0)
	return data, err
}

// Data reads a build's meta-data. ErrNotFound where there is none, or it has
// expired; ErrUnavailable.
func (s *Store) Data(ctx context.Context, buildID string) (Data, error) {
	var data Data
	msg, err := s.get(ctx, s.data, dataPrefix, buildID, &data)
	if err != nil {
		return Data{}, err
	}
	data.Revision = msg.Sequence
	return data, nil
}
