package schedule

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// TestBalance runs replicas that announce their streams every five seconds. Each stream
// that is given up opens again at any replica that a load balancer knows. It checks the
// numbers of streams in the end, how many were given up, and how long that took.
func TestBalance(t *testing.T) {
	rows := []struct {
		name        string
		streams     []int
		starts      time.Duration // of the last replica
		hidden      bool          // no agent reaches the last replica
		run         time.Duration
		least, most int           // streams of a replica in the end
		given       [2]int        // at least and at most
		within      time.Duration // the last one is given up
	}{
		{"one replica", []int{30}, 0, false, time.Hour, 30, 30, [2]int{0, 0}, 0},
		{"about even", []int{12, 10, 8}, 0, false, time.Hour, 8, 12, [2]int{0, 0}, 0},
		{"few streams", []int{2, 0}, 0, false, time.Hour, 0, 2, [2]int{0, 0}, 0},
		{"a replica is back", []int{15, 15, 0}, time.Minute, false, time.Hour, 5, 15, [2]int{5, 40}, 10 * time.Minute},
		{"many streams", []int{1000, 1000, 0}, time.Minute, false, time.Hour, 590, 720, [2]int{600, 2400}, 15 * time.Minute},
		{
			"one of ten is back",
			[]int{1111, 1111, 1111, 1111, 1111, 1111, 1111, 1111, 1111, 0},
			time.Minute, false, time.Hour, 450, 1100,
			[2]int{450, 6000},
			30 * time.Minute,
		},
		// A replica that is of no use does not disturb the others for ever.
		{"a replica that no agent reaches", []int{15, 15, 0}, 0, true, 24 * time.Hour, 0, 25, [2]int{10, 48 * 50}, 24 * time.Hour},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			balancer := rand.New(rand.NewPCG(1, 2))
			balances := make([]*Balance, len(row.streams))
			for i := range balances {
				balances[i] = NewBalance()
			}
			streams, given, last := row.streams, 0, time.Duration(0)
			for at := time.Duration(0); at < row.run; at += BalanceInterval {
				now := time.Unix(0, 0).Add(at)
				up := len(streams)
				if at < row.starts {
					up--
				}
				reached := up
				if row.hidden {
					reached--
				}
				for i := range up {
					for k := range up {
						if i != k {
							balances[k].Announced(strconv.Itoa(i), streams[i], now)
						}
					}
				}
				for i := range up {
					now := balances[i].Give(streams[i], now)
					if now > max(1, streams[i]/10) {
						t.Fatalf("%d of %d streams at once", now, streams[i])
					}
					for range now {
						given, last = given+1, at
						streams[i]--
						streams[balancer.IntN(reached)]++
					}
				}
			}
			for _, n := range streams {
				if n < row.least || n > row.most {
					t.Errorf("streams %v, want %d to %d each", streams, row.least, row.most)
				}
			}
			if given < row.given[0] || given > row.given[1] || last > row.within {
				t.Errorf("%d were given up until %v, want %d to %d within %v", given, last, row.given[0], row.given[1], row.within)
			}
		})
	}
}

// TestBalanceWithoutReplicas checks that a replica which has ended, or is silent, does not
// count any more.
func TestBalanceWithoutReplicas(t *testing.T) {
	rows := []struct {
		name  string
		after func(b *Balance, now time.Time) time.Time
		less  bool
	}{
		{"it is there", func(b *Balance, now time.Time) time.Time { b.Announced("a", 0, now); return now }, true},
		{"it has ended", func(b *Balance, now time.Time) time.Time { b.Announced("a", 0, now); b.Left("a"); return now }, false},
		{"it is silent", func(_ *Balance, now time.Time) time.Time { return now.Add(peerForgotten) }, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b, now := NewBalance(), time.Unix(0, 0)
			for range peerSettled/BalanceInterval + 1 {
				b.Announced("a", 0, now)
				if give := b.Give(100, now); give != 0 && now.Sub(time.Unix(0, 0)) < peerSettled {
					t.Fatalf("gave up %d after %v", give, now.Sub(time.Unix(0, 0)))
				}
				now = now.Add(BalanceInterval)
			}
			now = row.after(b, now)
			if give := b.Give(100, now); (give > 0) != row.less {
				t.Errorf("gave up %d", give)
			}
		})
	}
}
