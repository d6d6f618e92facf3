package agentwire

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// empty is the response of a call that returns no data: {}.
type empty struct{}

// register leaves the endpoint and the request headers out of its response, so
// that the agent keeps the address at which it reached this control plane.
func (h *Handler) register(r *http.Request, caller caller) (any, error) {
	req, err := decodeJSON[wire.RegisterRequest](r.Body)
	if err != nil {
		return nil, err
	}
	priority, err := strconv.Atoi(cmp.Or(req.Priority, "0"))
	if err != nil {
		return nil, badRequest("body: priority must be a whole number")
	}
	asked := record.Worker{
		Name: cmp.Or(req.Name, req.Hostname), Hostname: req.Hostname, OS: req.OS, Arch: req.Arch,
		Version: req.Version, Build: req.Build, MachineID: req.MachineID, PID: req.PID,
		Features: req.Features, Tags: req.Tags, Priority: priority,
		Worker: workerstate.Worker{LastJob: req.IgnoreInDispatches}, RegisteredWith: caller.registrar.TokenID,
	}
	queue, err := dispatch.QueueOf(asked)
	if err == nil && !caller.registrar.MayUse(queue) {
		err = forbidden(fmt.Sprintf("the token %q registers workers of %s only, not of %s",
			caller.registrar.Name, strings.Join(caller.registrar.Queues, ", "), queue))
	}
	if err != nil {
		return nil, fmt.Errorf("registering a worker: %w", err)
	}
	worker, token, err := h.dispatcher.Register(r.Context(), asked)
	if err != nil {
		return nil, fmt.Errorf("registering a worker: %w", err)
	}
	return wire.RegisterResponse{
		ID: worker.ID, Name: worker.Name, AccessToken: token,
		PingInterval:      seconds(h.options.PingInterval),
		JobStatusInterval: seconds(h.options.JobStatusInterval),
		HeartbeatInterval: seconds(h.options.HeartbeatInterval),
		Tags:              append([]string{}, worker.Tags...), // [] instead of null
	}, nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// tokenResponse describes the registration token. Agents print the names of an
// organization and a cluster, which do not exist here; they stay empty.
type tokenResponse struct {
	UUID             string `json:"uuid"`
	Description      string `json:"description"`
	TokenType        string `json:"token_type"`
	OrganizationSlug string `json:"organization_slug"`
	OrganizationUUID string `json:"organization_uuid"`
	ClusterUUID      string `json:"cluster_uuid"`
	ClusterName      string `json:"cluster_name"`
	QueueUUID        string `json:"organization_queue_uuid"`
	QueueKey         string `json:"organization_queue_key"`
}

func (*Handler) token(_ *http.Request, caller caller) (any, error) {
	return tokenResponse{
		UUID:             uuid.NewSHA1(uuid.Nil, []byte(caller.registrar.TokenID)).String(),
		Description:      "the token " + strconv.Quote(caller.registrar.Name) + " of this control plane",
		TokenType:        "registration",
		OrganizationSlug: organizationSlug,
	}, nil
}

func (h *Handler) connect(r *http.Request, caller caller) (any, error) {
	if err := h.dispatcher.Connect(r.Context(), caller.workerID); err != nil {
		return nil, fmt.Errorf("connecting a worker: %w", err)
	}
	return empty{}, nil
}

func (h *Handler) disconnect(r *http.Request, caller caller) (any, error) {
	if err := h.dispatcher.Disconnect(r.Context(), caller.workerID); err != nil {
		return nil, fmt.Errorf("disconnecting a worker: %w", err)
	}
	return empty{}, nil
}

func (h *Handler) heartbeat(r *http.Request, caller caller) (any, error) {
	received := time.Now()
	req, err := decodeJSON[wire.HeartbeatRequest](r.Body)
	if err != nil {
		return nil, err
	}
	if _, err := parseTime("sent_at", req.SentAt); err != nil {
		return nil, err
	}
	if err := h.dispatcher.Heartbeat(r.Context(), caller.workerID); err != nil {
		return nil, fmt.Errorf("renewing a lease: %w", err)
	}
	h.report(r.Header, caller)
	return wire.HeartbeatResponse{SentAt: req.SentAt, ReceivedAt: formatTime(received)}, nil
}

// report records what an agent of ours reports with a ping or a heartbeat.
func (h *Handler) report(header http.Header, caller caller) {
	h.dispatcher.Hold(heldJobs(header))
	h.reportMachine(header, caller)
}

// reportMachine records the state of a worker's machine, if it is reported.
func (h *Handler) reportMachine(header http.Header, caller caller) {
	if m, ok := wire.ParseMachineState(header.Get(wire.HeaderMachine)); ok {
		h.dispatcher.Report(caller.workerID, m)
	}
}

// heldJobs returns the jobs that an agent of ours names, at most wire.MaxHeldJobs.
func heldJobs(header http.Header) []string {
	var ids []string
	for id := range strings.SplitSeq(header.Get(wire.HeaderJobs), ",") {
		if id = strings.TrimSpace(id); id != "" && len(ids) < wire.MaxHeldJobs {
			ids = append(ids, id)
		}
	}
	return ids
}

func (h *Handler) ping(r *http.Request, caller caller) (any, error) {
	next, err := h.dispatcher.Ping(r.Context(), caller.workerID)
	if err != nil {
		return nil, fmt.Errorf("pinging: %w", err)
	}
	h.report(r.Header, caller)
	switch next.Kind {
	case wire.Pause:
		return wire.PingResponse{Action: wire.ActionPause, Message: next.Reason}, nil
	case wire.Disconnect:
		return wire.PingResponse{Action: wire.ActionDisconnect, Message: next.Reason}, nil
	case wire.JobAssigned:
		return wire.PingResponse{Job: &wire.PingJob{ID: next.JobID}}, nil
	case wire.Resume:
	}
	return wire.PingResponse{}, nil
}
