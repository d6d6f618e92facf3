package dispatch

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// maxSignalIDs bounds the IDs in one signal, to a fifth of what a message holds.
const maxSignalIDs = 2000

// signal is a message between replicas. It is not stored and can be lost: a lease
// is several sweeps long, and a stream that a worker has left ends by itself.
type signal struct {
	// From is the replica that sent it.
	From string `json:"from"`
	// Workers and Jobs were seen since the last signal; Held are jobs that their
	// agents named.
	Workers []string `json:"workers,omitempty"`
	Jobs    []string `json:"jobs,omitempty"`
	Held    []string `json:"held,omitempty"`
	// Machines are the states of workers' machines that agents reported since, by worker,
	// as wire.HeaderMachine has them.
	Machines map[string]string `json:"machines,omitempty"`
	// Attached and Detached are the worker whose stream was opened or closed.
	Attached string `json:"attached,omitempty"`
	Detached string `json:"detached,omitempty"`
	// Stream and Epoch are the number and the epoch of the opened stream: see
	// schedule.Announcement.
	Stream uint64 `json:"stream,omitempty"`
	Epoch  uint64 `json:"epoch,omitempty"`
	// Streams is how many streams From has, and Ends is set when it ends.
	Streams *int `json:"streams,omitempty"`
	Ends    bool `json:"ends,omitempty"`
}

// replicas exchanges signals with the other replicas.
type replicas struct {
	r    *records
	id   string // of this replica
	stop func() // ends listen

	mu                  sync.Mutex
	workers, jobs, held map[string]struct{}         // seen since the last signal
	machines            map[string]schedule.Machine // reported since then
	balance             *schedule.Balance
	announced           time.Time // when the number of streams was last announced
}

func newReplicas(r *records) *replicas {
	return &replicas{
		r: r, id: newID(), stop: func() {},
		workers: map[string]struct{}{}, jobs: map[string]struct{}{}, held: map[string]struct{}{},
		machines: map[string]schedule.Machine{},
		balance:  schedule.NewBalance(),
	}
}

// listen has signals handled until stop.
func (p *replicas) listen() error {
	stop, err := p.r.st.OnSignal(p.receive)
	if err != nil {
		return err //nolint:wrapcheck // it says what was attempted
	}
	p.stop = stop
	return nil
}

// workerSeen, jobSeen and jobHeld note a sign of life for the next signal.
func (p *replicas) workerSeen(id string) { p.note(p.workers, id) }
func (p *replicas) jobSeen(id string)    { p.note(p.jobs, id) }
func (p *replicas) jobHeld(id string)    { p.note(p.held, id) }

// machineReported notes the state of a worker's machine for the next signal.
func (p *replicas) machineReported(id string, m schedule.Machine) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.machines[id] = m
}

func (p *replicas) note(seen map[string]struct{}, id string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen[id] = struct{}{}
}

// sendSigns sends the signs of life since the last signal to the other replicas.
func (p *replicas) sendSigns() {
	p.mu.Lock()
	workers, jobs, held := slices.Collect(maps.Keys(p.workers)), slices.Collect(maps.Keys(p.jobs)), slices.Collect(maps.Keys(p.held))
	clear(p.workers)
	clear(p.jobs)
	clear(p.held)
	now, machines := p.r.now(), make(map[string]string, len(p.machines))
	for id, m := range p.machines {
		machines[id] = m.Wire(now).String()
	}
	clear(p.machines)
	p.mu.Unlock()
	for ids := range slices.Chunk(workers, maxSignalIDs) {
		p.send(signal{Workers: ids})
	}
	for ids := range slices.Chunk(jobs, maxSignalIDs) {
		p.send(signal{Jobs: ids})
	}
	for ids := range slices.Chunk(held, maxSignalIDs) {
		p.send(signal{Held: ids})
	}
	for ids := range slices.Chunk(slices.Collect(maps.Keys(machines)), maxSignalIDs) {
		reported := make(map[string]string, len(ids))
		for _, id := range ids {
			reported[id] = machines[id]
		}
		p.send(signal{Machines: reported})
	}
}

// announce sends a worker's stream on this replica, if there is one, to the others.
func (p *replicas) announce(workerID string) {
	var a schedule.Announcement
	open := false
	p.r.view(func(x *schedule.Index) { a, open = x.Announcement(p.id, workerID) })
	if open {
		p.send(signal{Attached: a.WorkerID, Stream: a.Number, Epoch: a.Epoch})
	}
}

// announceAll announces the streams again that the other replicas may not know of.
func (p *replicas) announceAll() {
	var unannounced []string
	p.r.view(func(x *schedule.Index) { unannounced = x.Unannounced() })
	for _, id := range unannounced {
		p.announce(id)
	}
}

// send sends a signal. A failure is logged only.
func (p *replicas) send(s signal) {
	s.From = p.id
	data, err := json.Marshal(s)
	if err == nil {
		err = p.r.st.Signal(data)
	}
	if err != nil {
		p.r.log.Debug("failed to signal the other replicas", zap.Error(err))
	}
}

// receive handles a signal, which may be this replica's own.
func (p *replicas) receive(data []byte) {
	var s signal
	if err := json.Unmarshal(data, &s); err != nil {
		p.r.log.Warn("skipped a damaged signal", zap.Error(err))
		return
	}
	again := false
	p.noteStreams(s)
	p.r.update(func(x *schedule.Index) {
		if s.From == p.id {
			again = x.Announced(s.Attached, s.Stream)
			return
		}
		now := p.r.now()
		for _, id := range s.Workers {
			x.RenewWorker(id, now)
		}
		for _, id := range s.Jobs {
			x.RenewJob(id, now)
		}
		for _, id := range s.Held {
			x.HoldJob(id, now)
		}
		for id, text := range s.Machines {
			if m, ok := wire.ParseMachineState(text); ok {
				x.ReportMachineElsewhere(id, schedule.MachineOf(m, now))
			}
		}
		var superseded schedule.Stream
		superseded, again = x.AttachedTo(p.id, schedule.Announcement{
			Replica: s.From, WorkerID: s.Attached, Number: s.Stream, Epoch: s.Epoch,
		})
		if superseded != nil {
			superseded.End(ErrSuperseded)
		}
		x.DetachedFrom(s.From, s.Detached)
	})
	if again {
		p.announce(s.Attached)
	}
}
