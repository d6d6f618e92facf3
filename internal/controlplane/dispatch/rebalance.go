package dispatch

import (
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
)

// noteStreams notes how many streams another replica has.
func (p *replicas) noteStreams(s signal) {
	if s.From == p.id || s.Streams == nil && !s.Ends {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.Ends {
		p.balance.Left(s.From)
		return
	}
	p.balance.Announced(s.From, *s.Streams, p.r.now())
}

// rebalance announces how many streams this replica has, and ends some of them if it has
// far more than the others. Only workers without a job lose theirs, and no job is offered
// to them before they have another one. It is called with each sweep.
func (p *replicas) rebalance() {
	now := p.r.now()
	p.mu.Lock()
	due := now.Sub(p.announced) >= schedule.BalanceInterval
	p.mu.Unlock()
	if !due {
		return
	}
	var streams int
	p.r.view(func(x *schedule.Index) { streams = x.Streams() })
	p.mu.Lock()
	p.announced = now
	give := p.balance.Give(streams, now)
	p.mu.Unlock()
	p.send(signal{Streams: &streams})
	if give == 0 {
		return
	}
	var given map[string]schedule.Stream
	p.r.update(func(x *schedule.Index) { given = x.GiveUp(give) })
	for id, stream := range given {
		stream.End(ErrMoved)
		p.send(signal{Detached: id})
	}
	p.r.log.Info("gave up streams, of which this replica has more than the others",
		zap.Int("streams", streams), zap.Int("given_up", len(given)))
}

// leave announces to the other replicas that this one ends.
func (p *replicas) leave() { p.send(signal{Ends: true}) }
