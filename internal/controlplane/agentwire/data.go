package agentwire

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
)

// maxDataBytes bounds a call that sets meta-data: all that a build can have, and
// the quotes and escapes of JSON around it.
const maxDataBytes = 2 * dispatch.MaxDataSize

// The scopes of meta-data. A build is a job and its retries, so that what is a
// job's is its build's too.
const (
	jobScope   = "jobs/{id}/data/"
	buildScope = "builds/{id}/data/"
)

type dataItem struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type dataBatch struct {
	Items []dataItem `json:"items"`
}

type dataKey struct {
	Key string `json:"key"`
}

type dataExists struct {
	Exists bool `json:"exists"`
}

// dataRoutes are the calls about meta-data, which commands inside a job make.
func dataRoutes() []route {
	return []route{
		{http.MethodPost, jobScope + "set", job, ownJob(setData)},
		{http.MethodPost, jobScope + "set-batch", job, ownJob(setDataBatch)},
		{http.MethodPost, jobScope + "get", job, ownJob(getData)},
		{http.MethodPost, jobScope + "exists", job, ownJob(hasData)},
		{http.MethodPost, jobScope + "keys", job, ownJob(dataKeys)},
		{http.MethodPost, buildScope + "get", job, ownBuild(getData)},
		{http.MethodPost, buildScope + "exists", job, ownBuild(hasData)},
		{http.MethodPost, buildScope + "keys", job, ownBuild(dataKeys)},
	}
}

// ownJob is a call about the job of the path, which must be the token's.
func ownJob(answer func(*http.Request, dispatch.JobGrant) (any, error)) call {
	return func(r *http.Request, caller caller) (any, error) {
		grant, err := own(r, caller)
		if err != nil {
			return nil, err
		}
		return answer(r, grant)
	}
}

// ownBuild is a call about the build of the path, which must be that of the
// token's job.
func ownBuild(answer func(*http.Request, dispatch.JobGrant) (any, error)) call {
	return func(r *http.Request, caller caller) (any, error) {
		if r.PathValue("id") != caller.job.BuildID {
			return nil, notFound("there is no such build, or it is not this job's")
		}
		return answer(r, caller.job)
	}
}

func setData(r *http.Request, grant dispatch.JobGrant) (any, error) {
	item, err := decodeJSONOf[dataItem](r.Body, maxDataBytes)
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

func setItems(r *http.Request, grant dispatch.JobGrant, items ...dataItem) (any, error) {
	set := make([]dispatch.DataItem, 0, len(items))
	for _, item := range items {
		set = append(set, dispatch.DataItem(item))
	}
	if err := grant.SetData(r.Context(), set...); err != nil {
		return nil, fmt.Errorf("setting meta-data: %w", err)
	}
	return done{}, nil
}

func getData(r *http.Request, grant dispatch.JobGrant) (any, error) {
	req, err := decodeJSON[dataKey](r.Body)
	if err != nil {
		return nil, err
	}
	value, err := grant.DataValue(r.Context(), req.Key)
	if errors.Is(err, dispatch.ErrNotFound) {
		return nil, notFound("key: it is not set in the meta-data of this build")
	}
	if err != nil {
		return nil, fmt.Errorf("reading meta-data: %w", err)
	}
	return dataItem{Key: req.Key, Value: value}, nil
}

func hasData(r *http.Request, grant dispatch.JobGrant) (any, error) {
	req, err := decodeJSON[dataKey](r.Body)
	if err != nil {
		return nil, err
	}
	_, err = grant.DataValue(r.Context(), req.Key)
	if err != nil && !errors.Is(err, dispatch.ErrNotFound) {
		return nil, fmt.Errorf("reading meta-data: %w", err)
	}
	return dataExists{Exists: err == nil}, nil
}

func dataKeys(r *http.Request, grant dispatch.JobGrant) (any, error) {
	keys, err := grant.DataKeys(r.Context())
	if err != nil {
		return nil, fmt.Errorf("reading the keys of meta-data: %w", err)
	}
	return append([]string{}, keys...), nil // none is an empty list, never null
}
