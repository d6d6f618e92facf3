package dispatch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// Limits of a build's meta-data. It is one record, read and written as a whole,
// and must fit in one message of the store.
const (
	// MaxDataKey is the longest key, in bytes.
	MaxDataKey = 255
	// MaxDataValue is the longest value, in bytes.
	MaxDataValue = 100 << 10
	// MaxDataKeys is how many keys a build may have.
	MaxDataKeys = 1000
	// MaxDataSize bounds the keys and values of a build together, in bytes.
	MaxDataSize = 512 << 10
)

// DataItem is one key of a build's meta-data, and its value.
type DataItem struct {
	Key, Value string
}

// SetData sets keys of the meta-data of the job's build, all of them or none; of
// a key that is named twice the last counts. Jobs that retry one another are one
// build. It answers once the values are safe. ErrInvalid names a bad field;
// ErrWrongState where the job is over.
//
// Within a replica the writes of a build take turns: a job may set many keys at
// once, and each would spoil the others' compare-and-set.
func (g JobGrant) SetData(ctx context.Context, items ...DataItem) error {
	d := g.d
	for _, item := range items {
		if err := item.validate(); err != nil {
			return err
		}
	}
	if err := g.inHand(ctx); err != nil || len(items) == 0 {
		return err
	}
	done, err := d.dataTurns.take(ctx, g.BuildID)
	if err != nil {
		return fmt.Errorf("waiting to set meta-data: %w", err)
	}
	defer done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	for range maxConflicts {
		data, err := g.data(ctx)
		if err != nil {
			return err
		}
		if data.Values, err = withItems(data.Values, items); err != nil {
			return err
		}
		if _, err = d.st.PutData(ctx, g.BuildID, data); !errors.Is(err, store.ErrConflict) {
			return err //nolint:wrapcheck // the store's errors are in words already
		}
	}
	// Jobs of one build run one after another, so that it takes an effort to get here.
	return fmt.Errorf("setting meta-data: other writes were always there first: %w", store.ErrUnavailable)
}

// DataValue is what a key of the build's meta-data was set to. ErrNotFound.
func (g JobGrant) DataValue(ctx context.Context, key string) (string, error) {
	if err := checkDataKey(key); err != nil {
		return "", err
	}
	data, err := g.data(ctx)
	if err != nil {
		return "", err
	}
	value, ok := data.Values[key]
	if !ok {
		return "", fmt.Errorf("a key of the meta-data of build %s: %w", g.BuildID, ErrNotFound)
	}
	return value, nil
}

// DataKeys are the keys of the build's meta-data, sorted.
func (g JobGrant) DataKeys(ctx context.Context) ([]string, error) {
	data, err := g.data(ctx)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(data.Values)), nil
}

// data reads the build's meta-data, empty where there is none.
func (g JobGrant) data(ctx context.Context) (store.Data, error) {
	data, err := g.d.st.Data(ctx, g.BuildID)
	if errors.Is(err, store.ErrNotFound) {
		return store.Data{}, nil
	}
	return data, err //nolint:wrapcheck // the store's errors are in words already
}

// inHand refuses for a job that has ended, whose token works on.
func (g JobGrant) inHand(ctx context.Context) error {
	if _, indexed := g.d.jobInHand(g.JobID); indexed {
		return nil
	}
	job, err := g.d.readJob(ctx, g.JobID)
	if err == nil && !job.State.InHand() {
		return wrongState("job %s is %s", g.JobID, job.State)
	}
	return err
}

// withItems is a copy of values with items set.
func withItems(values map[string]string, items []DataItem) (map[string]string, error) {
	set := make(map[string]string, len(values)+len(items))
	maps.Copy(set, values)
	for _, item := range items {
		set[item.Key] = item.Value
	}
	size := 0
	for key, value := range set {
		size += len(key) + len(value)
	}
	switch {
	case len(set) > MaxDataKeys:
		return nil, &InvalidError{"key", fmt.Sprintf("is one too many: a build has at most %d keys", MaxDataKeys)}
	case size > MaxDataSize:
		return nil, &InvalidError{"value", fmt.Sprintf("is too long: the meta-data of a build has at most %d bytes", MaxDataSize)}
	}
	return set, nil
}

func (item DataItem) validate() error {
	if len(item.Value) > MaxDataValue {
		return &InvalidError{"value", fmt.Sprintf("must have at most %d bytes", MaxDataValue)}
	}
	return checkDataKey(item.Key)
}

func checkDataKey(key string) error {
	if strings.TrimSpace(key) == "" || len(key) > MaxDataKey {
		return &InvalidError{"key", fmt.Sprintf("must have 1 to %d bytes, and not spaces alone", MaxDataKey)}
	}
	return nil
}
