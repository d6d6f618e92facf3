package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

const (
	// attackReach is how much more memory an attack may take at most. That of requests
	// with a token is what may be decoded at a time, and its garbage.
	attackReachWithout = 16 * megabyte
	attackReachWith    = 256 * megabyte
	// halfReach is the memory of a connection on which a request has begun: its buffers,
	// and a header of at most 32 KiB.
	halfReach = 128 << 10
	// followerReach is the memory of a follower of a log that does not read.
	followerReach = 4 * megabyte
	// attackAfter is how long after its end the memory is read again.
	attackAfter = 5 * time.Second
)

// attack is what somebody does to a control plane to take its memory.
type attack struct {
	name  string
	reach int64 // how much more memory it may take at most, in bytes
	run   func(context.Context, *victim) (outcome string, err error)
}

// attacks returns the attacks, by what the attacker has: no token, a wrong one, those of a
// worker and of its job, a registration token, one that may submit.
func attacks() []attack {
	return []attack{
		{"20 compressed bodies, no token", attackReachWithout, compressedBodies(anonymous)},
		{"20 compressed bodies, a wrong token", attackReachWithout, compressedBodies(stranger)},
		{"20 endless bodies, no token", attackReachWithout, endlessBodies("")},
		{"1,000 half requests, no token", halfOpen * halfReach, halfRequests},
		{"500 streams, a wrong token", attackReachWithout, streamsOf("Token wrong")},
		{"500 streams of one worker", attackReachWith, streamsOfWorker},
		{"20 compressed log chunks of 200 MB, a job's token", attackReachWith, bombsOfJob},
		{"20 large meta-data requests, a job's token", attackReachWith, dataOfJob},
		{"100 registrations of 200 KB, a registration token", attackReachWith, largeRegistrations},
		{"20 compressed bodies, a token that may submit", attackReachWith, compressedBodies(operator)},
		followersThatDoNotRead(fewFollowers, "HTTP/1.1", false),
		followersThatDoNotRead(fewFollowers, "HTTP/2", true),
		followersThatDoNotRead(manyFollowers, "HTTP/1.1", false),
	}
}

// followersThatDoNotRead returns the attack of n followers of a log.
func followersThatDoNotRead(n int, protocol string, http2 bool) attack {
	name := fmt.Sprintf("%d followers of a log that do not read, over %s", n, protocol)
	return attack{name, int64(n) * followerReach, followersOf(n, http2)}
}

// measureAttacks starts a control plane for each attack, as a process of its own, and
// reads its memory before, during and after the attack.
func measureAttacks(ctx context.Context, l *lab) ([]result, error) {
	r := result{key: keyAttacks, outcome: reached, samples: len(attacks())}
	held := 0
	for _, a := range attacks() {
		m, outcome, err := l.attack(ctx, a)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		bound := "more than"
		if m.during-m.before <= a.reach {
			bound = "within"
			held++
		} else {
			r.outcome = notReached
		}
		r.notes = append(r.notes, fmt.Sprintf("%s: %s; memory before %d MB, most %d MB, %v after %d MB: %s %d MB more",
			a.name, outcome, m.before/megabyte, m.during/megabyte, attackAfter, m.after/megabyte, bound, a.reach/megabyte))
	}
	r.value = fmt.Sprintf("%d of %d", held, r.samples)
	return []result{r}, nil
}

// memories are the resident memory of a control plane around an attack, in bytes: before
// it, the most during it, and after it.
type memories struct{ before, during, after int64 }

// attack starts a control plane and makes one attack.
func (l *lab) attack(ctx context.Context, a attack) (m memories, outcome string, err error) {
	s, err := l.newServer(ctx, "attack")
	if err != nil {
		return m, "", err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	v, err := newVictim(ctx, s, strings.Contains(a.name, "followers"))
	if err != nil {
		return m, "", err
	}
	pid := s.cmd.Process.Pid
	if err := pause(ctx, attackAfter); err != nil { // what preparing took is free again
		return m, "", err
	}
	if m.before, err = residentMemory(pid); err != nil {
		return m, "", err
	}
	if err := resetPeak(pid); err != nil {
		return m, "", err
	}
	outcome, err = a.run(ctx, v)
	v.close()
	if err != nil {
		return m, "", err
	}
	if m.during, err = peakMemory(pid); err != nil {
		return m, "", err
	}
	if err := pause(ctx, attackAfter); err != nil {
		return m, "", err
	}
	m.after, err = residentMemory(pid)
	return m, outcome, err
}

// resetPeak has VmHWM of a process begin again: see clear_refs in proc(5).
func resetPeak(pid int) error {
	const peak = "5"
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte(peak), 0); err != nil {
		return fmt.Errorf("resetting the most memory of a process: %w", err)
	}
	return nil
}
