package schedule

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

// countedStream counts how many streams of a worker are open.
type countedStream struct {
	nullStream

	open *int
}

func (s countedStream) End(error) { *s.open-- }

// signals is a network of NATS servers, one for each replica. Each server has the
// messages of its own replica, and those of each other server, in order; how these mix
// is drawn.
type signals struct {
	replicas []*Index
	ids      []string
	// queues are the messages on the way from the first server to the second; those of a
	// server to itself are its replica's.
	queues map[[2]int][]Announcement
}

func (n *signals) announce(i int) {
	if a, ok := n.replicas[i].Announcement(n.ids[i], "w"); ok {
		n.queues[[2]int{i, i}] = append(n.queues[[2]int{i, i}], a)
	}
}

// deliver has a server handle the next message of a queue.
func (n *signals) deliver(queue [2]int, open *int) {
	a := n.queues[queue][0]
	n.queues[queue] = n.queues[queue][1:]
	from, to := queue[0], queue[1]
	if from == to {
		for other := range n.replicas {
			if other != to {
				n.queues[[2]int{to, other}] = append(n.queues[[2]int{to, other}], a)
			}
		}
		if n.replicas[to].Announced(a.WorkerID, a.Number) {
			n.announce(to)
		}
		return
	}
	superseded, again := n.replicas[to].AttachedTo(n.ids[to], a)
	if superseded != nil {
		*open--
	}
	if again {
		n.announce(to)
	}
}

// However many streams of a worker are opened at once on however many replicas, and in
// whatever order their servers deliver the announcements, one survives. A stream that is
// opened after everything was delivered replaces it.
func TestOneStreamSurvives(t *testing.T) {
	now := time.Now()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(2, 4).Draw(t, "replicas")
		n := signals{queues: map[[2]int][]Announcement{}}
		for i := range size {
			x := New()
			x.ApplyWorker(record.Worker{ID: "w", Queue: "q", Revision: 1, Worker: workerstate.Worker{State: workerstate.Available}}, now)
			n.replicas, n.ids = append(n.replicas, x), append(n.ids, fmt.Sprint("replica", i))
		}
		open := 0
		attach := func(i int) {
			if superseded, ok := n.replicas[i].Attach("w", countedStream{open: &open}); !ok {
				t.Fatal("the worker is not known")
			} else if superseded != nil {
				open--
			}
			open++
			n.announce(i)
		}
		waiting := func() (queues [][2]int) {
			for i := range size {
				for j := range size {
					if len(n.queues[[2]int{i, j}]) > 0 {
						queues = append(queues, [2]int{i, j})
					}
				}
			}
			return queues
		}
		settle := func() {
			for range 10_000 {
				queues := waiting()
				if len(queues) == 0 {
					return
				}
				n.deliver(rapid.SampledFrom(queues).Draw(t, "queue"), &open)
			}
			t.Fatal("announcements do not end")
		}
		for range rapid.IntRange(1, 6).Draw(t, "streams") {
			attach(rapid.IntRange(0, size-1).Draw(t, "replica"))
			for range rapid.IntRange(0, 5).Draw(t, "deliveries") {
				if queues := waiting(); len(queues) > 0 {
					n.deliver(rapid.SampledFrom(queues).Draw(t, "queue"), &open)
				}
			}
		}
		settle()
		if open != 1 {
			t.Fatalf("%d streams are open", open)
		}
		last := rapid.IntRange(0, size-1).Draw(t, "last")
		attach(last)
		settle()
		if _, ok := n.replicas[last].Announcement(n.ids[last], "w"); !ok || open != 1 {
			t.Fatalf("%d streams are open, the newest among them: %v", open, ok)
		}
	})
}
