package schedule

import "time"

const (
	// BalanceInterval is how often a replica announces how many streams it has, and may
	// give some of them up.
	BalanceInterval = 5 * time.Second

	// peerForgotten is after how long without an announcement a replica does not count.
	peerForgotten = 3 * BalanceInterval
	// peerSettled is how long a replica must be known before it counts: one that starts
	// may not be reached by agents yet.
	peerSettled = 30 * time.Second

	// A replica begins to give streams up when it has more than beginShare times its
	// share, and beginMore more, and ends at endShare times its share. Where one of many
	// replicas has started again, no other one has much more than its share: it is enough
	// then to have more than endShare times, and beginMore more.
	beginShare, beginMore = 1.25, 2
	endShare              = 1.05
	// emptyShare is the part of its share below which a replica has started again, or lost
	// its streams.
	emptyShare = 0.5
	// givenAtOnce is the part of what is too much that is given up at once, at most
	// maxGiven streams, so that no herd forms.
	givenAtOnce = 0.1
	maxGiven    = 100
	// balancePause is the time after which streams may be given up again though the
	// replicas have not changed.
	balancePause = 30 * time.Minute
)

// Balance decides how many streams a replica gives up, so that all replicas have about
// the same number. After a restart of one replica after another the first one would have
// none, for as long as agents keep their connections. It must not be used concurrently.
type Balance struct {
	peers map[string]peer

	replicas int // that count, this one included
	// budget is how many streams may still be given up. Behind a load balancer one of
	// them opens at each replica with the same chance, so that several must be given up
	// for one that is too much. If they all come back, agents may not reach the replica
	// with few: then it ends.
	budget  int
	renewed time.Time // when the budget was last renewed
	giving  bool      // more than its share, and not back at it yet
	next    time.Time // when streams are given up next
}

// peer is another replica.
type peer struct {
	streams       int
	since, latest time.Time // the first and the last announcement
}

// NewBalance returns the balance of a replica that knows no other one.
func NewBalance() *Balance { return &Balance{peers: map[string]peer{}} }

// Announced notes how many streams another replica has.
func (b *Balance) Announced(replica string, streams int, now time.Time) {
	p, known := b.peers[replica]
	if !known {
		p.since = now
	}
	p.streams, p.latest = streams, now
	b.peers[replica] = p
}

// Left notes that another replica ends.
func (b *Balance) Left(replica string) { delete(b.peers, replica) }

// Give returns how many of its streams this replica should give up now.
func (b *Balance) Give(streams int, now time.Time) int {
	replicas, all, fewest := 1, streams, streams
	for id, p := range b.peers {
		switch {
		case now.Sub(p.latest) > peerForgotten:
			delete(b.peers, id)
		case now.Sub(p.since) >= peerSettled:
			replicas++
			all += p.streams
			fewest = min(fewest, p.streams)
		}
	}
	share := float64(all) / float64(replicas)
	excess := float64(streams) - endShare*share
	tooMany := float64(streams) > beginShare*share+beginMore || excess > beginMore && float64(fewest) < emptyShare*share
	b.begin(replicas, tooMany, excess, now)
	if excess < 1 {
		b.giving = false
	}
	if !b.giving || b.budget <= 0 || now.Before(b.next) {
		return 0
	}
	give := min(max(1, int(givenAtOnce*excess)), maxGiven, b.budget)
	b.budget -= give
	b.next = now.Add(BalanceInterval)
	return give
}

// begin renews the budget if the replicas have changed, or it is old, and begins to give
// up if there is far too much.
func (b *Balance) begin(replicas int, tooMany bool, excess float64, now time.Time) {
	if replicas != b.replicas {
		b.replicas, b.renewed = replicas, time.Time{}
	}
	if !tooMany {
		return
	}
	b.giving = true
	if b.renewed.IsZero() || now.Sub(b.renewed) >= balancePause {
		b.renewed, b.budget = now, int(excess*float64(replicas+1))
	}
}

// Streams returns how many workers have a stream on this replica.
func (x *Index) Streams() (count int) {
	for _, w := range x.workers {
		if w.stream != nil {
			count++
		}
	}
	return count
}

// GiveUp removes up to a number of streams of idle workers, to which no job is offered
// from then on, and returns them by the IDs of their workers. The caller ends them.
func (x *Index) GiveUp(most int) map[string]Stream {
	given := map[string]Stream{}
	for id, w := range x.workers {
		if len(given) >= most {
			break
		}
		if w.idleRank == 0 || !w.announced {
			continue
		}
		given[id] = w.stream
		w.stream = nil
		x.setIdle(w)
	}
	return given
}
