package simulation

import (
	"hash/fnv"
	"math"
	"slices"
	"strconv"
)

// jobWrites is how many records of a job are stored: when it is submitted and assigned,
// accepted, started, and when it has ended.
const jobWrites = 4

// Throughput returns how many jobs a second a cluster stores whose queues are spread over
// streams by a hash of their names: as many as the busiest stream allows. The n-th queue
// has a part of the jobs in proportion to 1/n^skew; with 0 all have the same.
func Throughput(costs Costs, queues, streams int, skew float64) float64 {
	all, load := 0.0, make([]float64, streams)
	for n := range queues {
		hash := fnv.New32a()
		_, _ = hash.Write([]byte("queue-" + strconv.Itoa(n))) // never fails
		part := 1 / math.Pow(float64(n+1), skew)
		load[int(hash.Sum32()%uint32(streams))] += part //nolint:gosec // a few streams
		all += part
	}
	return costs.StreamWrites / jobWrites * all / slices.Max(load)
}
