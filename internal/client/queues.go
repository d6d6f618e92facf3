package client

import (
	"context"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Queues returns the list of the queues that have jobs that have not ended, workers or a
// pause, as Jobs does.
func (c *Client) Queues(ctx context.Context, req *switchyardv1.ListQueuesRequest, limit int) *List[*switchyardv1.Queue] {
	fetch := func(size int32, token string) (page[*switchyardv1.Queue], error) {
		req.PageSize, req.PageToken = size, token
		res, err := call(ctx, c, "listing queues", c.queues.ListQueues, req)
		return page[*switchyardv1.Queue]{res.GetQueues(), res.GetNextPageToken(), res.GetTotal(), 0}, err
	}
	return &List[*switchyardv1.Queue]{limit: limit, token: req.GetPageToken(), fetch: fetch}
}

// Queue returns one of these queues.
func (c *Client) Queue(ctx context.Context, name string) (*switchyardv1.Queue, error) {
	res, err := call(ctx, c, "reading queue "+name, c.queues.GetQueue, &switchyardv1.GetQueueRequest{Name: name})
	return res.GetQueue(), err
}

// ChangedQueue is the response to a call that changes a queue: the queue, and whether the
// call had no effect.
type ChangedQueue interface {
	GetQueue() *switchyardv1.Queue
	GetUnchanged() bool
}

// PauseQueue keeps the jobs of a queue waiting; the reason is for people.
func (c *Client) PauseQueue(ctx context.Context, name, reason string) (ChangedQueue, error) {
	return call(ctx, c, "pausing queue "+name, c.queues.PauseQueue,
		&switchyardv1.PauseQueueRequest{Name: name, Reason: reason})
}

// ResumeQueue lets the jobs of a queue be offered again.
func (c *Client) ResumeQueue(ctx context.Context, name string) (ChangedQueue, error) {
	return call(ctx, c, "resuming queue "+name, c.queues.ResumeQueue, &switchyardv1.ResumeQueueRequest{Name: name})
}
