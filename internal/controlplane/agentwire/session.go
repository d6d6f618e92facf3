package agentwire

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// done is the answer of a call that has nothing to say.
type done struct{}

type registerRequest struct {
	Name               string   `json:"name"`
	Hostname           string   `json:"hostname"`
	OS                 string   `json:"os"`
	Arch               string   `json:"arch"`
	IgnoreInDispatches bool     `json:"ignore_in_dispatches"`
	Priority           string   `json:"priority"`
	Version            string   `json:"version"`
	Build              string   `json:"build"`
	Tags               []string `json:"meta_data"`
	PID                int      `json:"pid"`
	MachineID          string   `json:"machine_id"`
	Features           []string `json:"features"`
}

// registerResponse leaves out request_headers, which tells an agent to keep what
// it has, and leaves endpoint empty: the agent reached us at an address that
// works for it, which is more than we know.
type registerResponse struct {
	ID                string   `json:"id"`
	Name              string   `json:"name"`
	AccessToken       string   `json:"access_token"`
	Endpoint          string   `json:"endpoint"`
	PingInterval      int64    `json:"ping_interval"`
	JobStatusInterval int64    `json:"job_status_interval"`
	HeartbeatInterval int64    `json:"heartbeat_interval"`
	Tags              []string `json:"meta_data"`
}

func (h *Handler) register(r *http.Request, _ caller) (any, error) {
	req, err := decodeJSON[registerRequest](r.Body)
	if err != nil {
		return nil, err
	}
	priority, err := strconv.Atoi(cmp.Or(req.Priority, "0"))
	if err != nil {
		return nil, badRequest("body: priority must be a whole number")
	}
	agent, token, err := h.dispatcher.Register(r.Context(), dispatch.Registration{
		Name: cmp.Or(req.Name, req.Hostname), Hostname: req.Hostname, OS: req.OS, Arch: req.Arch,
		Version: req.Version, Build: req.Build, MachineID: req.MachineID, PID: req.PID,
		Features: req.Features, Tags: req.Tags, Priority: priority, IgnoreInDispatches: req.IgnoreInDispatches,
	})
	if err != nil {
		return nil, fmt.Errorf("registering a worker: %w", err)
	}
	return registerResponse{
		ID: agent.ID, Name: agent.Name, AccessToken: token,
		PingInterval:      seconds(h.options.PingInterval),
		JobStatusInterval: seconds(h.options.JobStatusInterval),
		HeartbeatInterval: seconds(h.options.HeartbeatInterval),
		Tags:              append([]string{}, agent.Tags...),
	}, nil
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

// tokenResponse describes the registration token. The names of an organization
// and a cluster, which agents print, have no counterpart here.
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

func (h *Handler) token(*http.Request, caller) (any, error) {
	return tokenResponse{
		UUID:             uuid.NewSHA1(uuid.Nil, h.options.RegistrationToken[:]).String(),
		Description:      "the registration token of this control plane",
		TokenType:        "registration",
		OrganizationSlug: organizationSlug,
	}, nil
}

func (h *Handler) connect(r *http.Request, caller caller) (any, error) {
	if err := h.dispatcher.Connect(r.Context(), caller.workerID); err != nil {
		return nil, fmt.Errorf("connecting a worker: %w", err)
	}
	return done{}, nil
}

func (h *Handler) disconnect(r *http.Request, caller caller) (any, error) {
	if err := h.dispatcher.Disconnect(r.Context(), caller.workerID); err != nil {
		return nil, fmt.Errorf("disconnecting a worker: %w", err)
	}
	return done{}, nil
}

type heartbeatRequest struct {
	SentAt string `json:"sent_at"`
}

type heartbeatResponse struct {
	SentAt     string `json:"sent_at"`
	ReceivedAt string `json:"received_at"`
}

func (h *Handler) heartbeat(r *http.Request, caller caller) (any, error) {
	received := time.Now()
	req, err := decodeJSON[heartbeatRequest](r.Body)
	if err != nil {
		return nil, err
	}
	if _, err := parseTime("sent_at", req.SentAt); err != nil {
		return nil, err
	}
	if err := h.dispatcher.Heartbeat(r.Context(), caller.workerID); err != nil {
		return nil, fmt.Errorf("renewing a lease: %w", err)
	}
	return heartbeatResponse{SentAt: req.SentAt, ReceivedAt: received.UTC().Format(time.RFC3339Nano)}, nil
}

// parseTime reads a moment by an agent's clock. An absent one is zero.
func parseTime(field, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		return time.Time{}, badRequest("body: " + field + " must be a moment as in RFC 3339")
	}
	return at, nil
}

// pingResponse is an instruction as a ping's answer; idle is the empty object.
type pingResponse struct {
	Action  string   `json:"action,omitempty"`
	Message string   `json:"message,omitempty"`
	Job     *pingJob `json:"job,omitempty"`
}

type pingJob struct {
	ID string `json:"id"`
}

func (h *Handler) ping(r *http.Request, caller caller) (any, error) {
	next, err := h.dispatcher.Ping(r.Context(), caller.workerID)
	if err != nil {
		return nil, fmt.Errorf("answering a ping: %w", err)
	}
	switch next.Kind {
	case wire.Pause:
		return pingResponse{Action: "pause", Message: next.Reason}, nil
	case wire.Disconnect:
		return pingResponse{Action: "disconnect", Message: next.Reason}, nil
	case wire.JobAssigned:
		return pingResponse{Job: &pingJob{ID: next.JobID}}, nil
	case wire.Resume:
	}
	return pingResponse{}, nil
}
