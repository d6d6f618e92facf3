package agentwire

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/metadata"
)

// maxDataBytes bounds the body of a call that sets meta-data: the most that a
// build may hold, with room for JSON's quotes and escapes.
const maxDataBytes = 2 * metadata.MaxSize

// Paths of the meta-data calls. Meta-data belongs to a build, which is a job and
// its retries; the calls of a job are about its build.
const (
	jobData   = "jobs/{id}/data/"
	buildData = "builds/{id}/data/"
)

type dataBatch struct {
	Items []metadata.Item `json:"items"`
}

type dataKey struct {
	Key string `json:"key"`
}

type dataExists struct {
	Exists bool `json:"exists"`
}

// dataRoutes returns the meta-data calls, which commands inside a job make.
func dataRoutes() []route {
	return []route{
		{http.MethodPost, jobData + "set", jobToken, ownJob(setData)},
		{http.MethodPost, jobData + "set-batch", jobToken, ownJob(setDataBatch)},
		{http.MethodPost, jobData + "get", jobToken, ownJob(getData)},
		{http.MethodPost, jobData + "exists", jobToken, ownJob(hasData)},
		{http.MethodPost, jobData + "keys", jobToken, ownJob(dataKeys)},
		{http.MethodPost, buildData + "get", jobToken, ownBuild(getData)},
		{http.MethodPost, buildData + "exists", jobToken, ownBuild(hasData)},
		{http.MethodPost, buildData + "keys", jobToken, ownBuild(dataKeys)},
	}
}

// ownBuild adapts a call about the build in the path, which must be the build of
// the token's job.
func ownBuild(handle func(*http.Request, dispatch.JobGrant) (any, error)) handlerFunc {
	return func(r *http.Request, caller caller) (any, error) {
		if r.PathValue("id") != caller.job.BuildID {
			return nil, notFound("no such build, or the token's job is not part of it")
		}
		return handle(r, caller.job)
	}
}

func setData(r *http.Request, grant dispatch.JobGrant) (any, error) {
	item, err := decodeJSONOf[metadata.Item](r.Body, maxDataBytes)
	if err != nil {
		return nil, err
	}
	return setItems(r, grant, item)
}

func setDataBatch(r *http.Request, grant dispatch.JobGrant) (any, error) {
	batch, err := decodeJSONOf[dataBatch](r.Body, maxDataBytes)
	if err != nil {
		return nil, err
	}
	return setItems(r, grant, batch.Items...)
}

func setItems(r *http.Request, grant dispatch.JobGrant, items ...metadata.Item) (any, error) {
	if err := grant.SetMetadata(r.Context(), items...); err != nil {
		return nil, fmt.Errorf("setting meta-data: %w", err)
	}
	return empty{}, nil
}

func getData(r *http.Request, grant dispatch.JobGrant) (any, error) {
	req, err := decodeJSON[dataKey](r.Body)
	if err != nil {
		return nil, err
	}
	value, err := grant.MetadataValue(r.Context(), req.Key)
	if errors.Is(err, dispatch.ErrNotFound) {
		return nil, notFound("key: it is not set in the meta-data of this build")
	}
	if err != nil {
		return nil, fmt.Errorf("reading meta-data: %w", err)
	}
	return metadata.Item{Key: req.Key, Value: value}, nil
}

func hasData(r *http.Request, grant dispatch.JobGrant) (any, error) {
	req, err := decodeJSON[dataKey](r.Body)
	if err != nil {
		return nil, err
	}
	_, err = grant.MetadataValue(r.Context(), req.Key)
	if err != nil && !errors.Is(err, dispatch.ErrNotFound) {
		return nil, fmt.Errorf("reading meta-data: %w", err)
	}
	return dataExists{Exists: err == nil}, nil
}

func dataKeys(r *http.Request, grant dispatch.JobGrant) (any, error) {
	keys, err := grant.MetadataKeys(r.Context())
	if err != nil {
		return nil, fmt.Errorf("reading the keys of meta-data: %w", err)
	}
	return append([]string{}, keys...), nil // [] instead of null
}
