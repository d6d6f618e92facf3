package client

import (
	"context"
	"iter"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// maxPageSize is the largest page that the control plane returns.
const maxPageSize = 1000

// Jobs returns the jobs that match the request, newest first, at most limit of
// them; 0 means no limit. It fetches pages as needed. An error is the last element.
func (c *Client) Jobs(ctx context.Context, req *switchyardv1.ListJobsRequest, limit int) iter.Seq2[*switchyardv1.Job, error] {
	return pages(limit, func(size int32, token string) ([]*switchyardv1.Job, string, error) {
		req.PageSize, req.PageToken = size, token
		res, err := call(ctx, c, "listing jobs", c.jobs.ListJobs, req)
		return res.GetJobs(), res.GetNextPageToken(), err
	})
}

// Workers returns the workers that match the request, as Jobs does.
func (c *Client) Workers(ctx context.Context, req *switchyardv1.ListWorkersRequest, limit int) iter.Seq2[*switchyardv1.Worker, error] {
	return pages(limit, func(size int32, token string) ([]*switchyardv1.Worker, string, error) {
		req.PageSize, req.PageToken = size, token
		res, err := call(ctx, c, "listing workers", c.workers.ListWorkers, req)
		return res.GetWorkers(), res.GetNextPageToken(), err
	})
}

// pages returns the elements of one page after another.
func pages[T any](limit int, fetch func(size int32, token string) ([]T, string, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		token := ""
		for left := limit; limit == 0 || left > 0; {
			size := maxPageSize
			if limit > 0 {
				size = min(left, maxPageSize)
			}
			page, next, err := fetch(int32(size), token)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, element := range page {
				if !yield(element, nil) {
					return
				}
			}
			left -= len(page)
			if next == "" || next == token {
				return
			}
			token = next
		}
	}
}
