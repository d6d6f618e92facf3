package client

import (
	"context"
	"iter"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// maxPageSize is the largest page that the control plane returns.
const maxPageSize = 1000

// List is a list that All reads. It is for one goroutine.
type List[T any] struct {
	// Total is how many elements there are, also beyond the limit and before the first
	// page; Earlier is how many of them are before it. They are zero if the control plane
	// does not know. They are known once All has returned an element.
	Total, Earlier int64
	// Next is the token of the page that follows, empty at the end of the list. It is
	// known when All has ended.
	Next string

	limit int
	token string // of the first page
	fetch func(size int32, token string) (page[T], error)
}

// page is one page of a list.
type page[T any] struct {
	elements       []T
	next           string
	total, earlier int64
}

// Jobs returns the list of the jobs that match the request, from the page of its
// token on, at most limit of them; 0 means no limit.
func (c *Client) Jobs(ctx context.Context, req *switchyardv1.ListJobsRequest, limit int) *List[*switchyardv1.Job] {
	from := req.GetPageToken()
	fetch := func(size int32, token string) (page[*switchyardv1.Job], error) {
		req.PageSize, req.PageToken, req.Count = size, token, token != "" && token == from
		res, err := call(ctx, c, "listing jobs", c.jobs.ListJobs, req)
		return page[*switchyardv1.Job]{res.GetJobs(), res.GetNextPageToken(), res.GetTotal(), res.GetEarlier()}, err
	}
	return &List[*switchyardv1.Job]{limit: limit, token: from, fetch: fetch}
}

// Workers returns the list of the workers that match the request, as Jobs does.
func (c *Client) Workers(ctx context.Context, req *switchyardv1.ListWorkersRequest, limit int) *List[*switchyardv1.Worker] {
	fetch := func(size int32, token string) (page[*switchyardv1.Worker], error) {
		req.PageSize, req.PageToken = size, token
		res, err := call(ctx, c, "listing workers", c.workers.ListWorkers, req)
		return page[*switchyardv1.Worker]{res.GetWorkers(), res.GetNextPageToken(), res.GetTotal(), res.GetEarlier()}, err
	}
	return &List[*switchyardv1.Worker]{limit: limit, token: req.GetPageToken(), fetch: fetch}
}

// All returns the elements, and fetches pages as needed. An error is the last element.
// It must be called once.
func (l *List[T]) All() iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		l.Next = l.token
		for left := l.limit; l.limit == 0 || left > 0; {
			size := maxPageSize
			if l.limit > 0 {
				size = min(left, maxPageSize)
			}
			p, err := l.fetch(int32(size), l.Next)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			if l.Next == l.token {
				l.Total, l.Earlier = p.total, p.earlier
			}
			if p.next == l.Next {
				p.next = "" // a page that continues with itself would never end
			}
			l.Next = p.next
			for _, element := range p.elements {
				if !yield(element, nil) {
					return
				}
			}
			left -= len(p.elements)
			if l.Next == "" {
				return
			}
		}
	}
}
