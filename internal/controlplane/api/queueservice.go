package api

import (
	"context"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// queueNoun is what errors and the audit log call a queue.
const queueNoun = "queue"

// queueService implements switchyardv1connect.QueueServiceHandler.
type queueService struct{ service }

// ListQueues returns a page of queues, by name.
func (s *queueService) ListQueues(_ context.Context, req *switchyardv1.ListQueuesRequest) (
	*switchyardv1.ListQueuesResponse, error,
) {
	found, err := s.dispatcher.Queues(schedule.Page{Size: int(req.GetPageSize()), Token: req.GetPageToken()})
	if err != nil {
		return nil, s.failed(operation{verb: listing, noun: "queues"}, err)
	}
	response := &switchyardv1.ListQueuesResponse{NextPageToken: found.Next, Total: int64(found.Total)}
	for _, queue := range found.Queues {
		response.Queues = append(response.Queues, queueMessage(queue))
	}
	return response, nil
}

// GetQueue returns one queue.
func (s *queueService) GetQueue(_ context.Context, req *switchyardv1.GetQueueRequest) (*switchyardv1.GetQueueResponse, error) {
	queue, err := s.dispatcher.Queue(req.GetName())
	if err != nil {
		return nil, s.failed(operation{"reading", queueNoun, req.GetName()}, err)
	}
	return &switchyardv1.GetQueueResponse{Queue: queueMessage(queue)}, nil
}

// PauseQueue keeps the jobs of a queue waiting until it is resumed.
func (s *queueService) PauseQueue(ctx context.Context, req *switchyardv1.PauseQueueRequest) (
	*switchyardv1.PauseQueueResponse, error,
) {
	queue, err := s.dispatcher.PauseQueue(ctx, req.GetName(), req.GetReason(), access.Caller(ctx).Name)
	if err != nil {
		return nil, s.failed(operation{"pausing", queueNoun, req.GetName()}, err)
	}
	return &switchyardv1.PauseQueueResponse{Queue: queueMessage(queue.Queue), Unchanged: queue.Unchanged}, nil
}

// ResumeQueue lets the jobs of a queue be offered again.
func (s *queueService) ResumeQueue(ctx context.Context, req *switchyardv1.ResumeQueueRequest) (
	*switchyardv1.ResumeQueueResponse, error,
) {
	queue, err := s.dispatcher.ResumeQueue(ctx, req.GetName(), access.Caller(ctx).Name)
	if err != nil {
		return nil, s.failed(operation{"resuming", queueNoun, req.GetName()}, err)
	}
	return &switchyardv1.ResumeQueueResponse{Queue: queueMessage(queue.Queue), Unchanged: queue.Unchanged}, nil
}

// queueMessage returns the message for a queue.
func queueMessage(queue schedule.Queue) *switchyardv1.Queue {
	message := &switchyardv1.Queue{
		Name: queue.Name, Paused: queue.Pause.Paused, PauseReason: queue.Pause.Reason, PausedBy: queue.Pause.By,
		PausedAt: timestamp(queue.Pause.At), OldestQueuedAt: timestamp(queue.OldestQueued), WaitingReason: queue.Waiting,
		Queued:   count(queue.Jobs[wire.StateQueued]),
		Starting: count(queue.Jobs[wire.StateAssigned] + queue.Jobs[wire.StateAccepted]),
		Running:  count(queue.Jobs[wire.StateRunning]),
		Workers:  &switchyardv1.QueueWorkers{},
	}
	for condition, field := range map[schedule.WorkerCondition]*int32{
		schedule.WorkerIdle: &message.Workers.Idle, schedule.WorkerBusy: &message.Workers.Busy,
		schedule.WorkerPaused: &message.Workers.Paused, schedule.WorkerSilent: &message.Workers.Silent,
		schedule.WorkerDraining: &message.Workers.Draining, schedule.WorkerLost: &message.Workers.Lost,
	} {
		streaming := queue.Workers[schedule.WorkerKind{Condition: condition, Streaming: true}]
		*field = count(streaming + queue.Workers[schedule.WorkerKind{Condition: condition}])
		message.Workers.Streaming += count(streaming)
	}
	return message
}
