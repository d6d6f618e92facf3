package main

import "context"

// figure is one row of the design's table of figures: what is measured, the value
// to reach, and the value of the best existing agent, measured in the same way.
type figure struct{ key, what, reach, peer string }

// Keys of the figures.
const (
	keyAccept        = "accept"
	keyFinish        = "finish"
	keySteady        = "steady"
	keyKill          = "kill"
	keyMute          = "mute"
	keyBlackhole     = "blackhole"
	keyBack          = "stream-back"
	keyAllBack       = "all-back"
	keyStorm         = "storm"
	wordStart        = "start"
	keyMemory        = "memory"
	keyCPU           = "cpu"
	keySize          = "size"
	keyLeave         = "leave"
	keyKept          = "kept"
	keyListed        = "kept-listed"
	keyThroughput    = "throughput"
	keyKeyed         = "throughput-keyed"
	keyStreams       = "streams"
	keyAmong         = "streams-dispatch"
	keyStreamsBack   = "streams-back"
	keyDepthSubmit   = "depth-submit"
	keyDepthDispatch = "depth-dispatch"
	keyDepthList     = "depth-list"
	keyMany          = "many"
	keyAttacks       = "attacks"
	keyPages         = "pages"
	keyPagesJobs     = "pages-jobs"
	keySeenCPU       = "seen-cpu"
	keySeenMemory    = "seen-memory"
	keySeenIdle      = "seen-idle"
)

// notMeasured is the value of a figure that the best existing agent does not have.
const notMeasured = "not measured"

// figures returns the rows in the design's order.
func figures() []figure {
	return []figure{
		{keyAccept, "message written on the stream to accept received, TLS, HTTP/2: p50 / p99", "0.4 / 1.0 ms", "0.85 / 1.34"},
		{keyFinish, "the same to finish received, job `true`: p50", "3 ms", "3.75"},
		{keySteady, "20 workers, steady arrivals, three minutes: job ready to accept, p99.9", "10 ms", "658"},
		{keyKill, "stream killed to ping received: p50", "3 ms", "2.7"},
		{keyMute, "a stream without a response or without a message: polling", "10.5 s", "never"},
		{keyBlackhole, "a black-holed connection: polling, HTTP/2; HTTP/1.1", "16 s; 150 s unless announced", "13.5; never"},
		{keyBack, "stream endpoint back after 60 s, pings fine: stream in control, p50 / max", "6 / 20 s", "25 / 64"},
		{keyAllBack, "everything back after 60 s, ping interval 2 s: p50 / max", "3 / 6 s", notMeasured},
		{
			keyStorm, "1,000 workers, a restart of the control plane: reconnects / pings after the first in the busiest 100 ms",
			"no wave: 150 / 119", notMeasured,
		},
		{wordStart, "process start to stream in control: p50", "100 ms", "730"},
		{keyMemory, "idle resident memory, 1 / 200 workers", "20 / 30 MB", "38 / 74"},
		{keyCPU, "agent idle, 200 workers: CPU in 30 s", "50 ms", "150"},
		{keySize, "stripped binary, control plane included", "35 MB", "44.6, without one"},
		{keyLeave, "SIGTERM, idle, to exit: p50", "4 ms", "3.4"},
		{keyKept, "control plane with 1,000,000 kept jobs: start, most memory", "10 s, 600 MB", notMeasured},
		{keyListed, "the same: 1,000 jobs listed by state and queue", "1 s", notMeasured},
		{keyThroughput, "50 instant workers, 32 submitters: durable jobs, submit to finish", "1,000 a second", notMeasured},
		{keyKeyed, "the same with idempotency keys", "1,000 a second", notMeasured},
		{
			keyStreams, "20,000 streams, ten a connection: memory of one, time until all are open, CPU in 30 s idle",
			"20 KB, 30 s, 4 s", notMeasured,
		},
		{keyAmong, "the same: submission to the message on a stream, p50 / p99", "", notMeasured},
		{keyStreamsBack, "the same: a restart of the control plane, ready to all streams open", "", notMeasured},
		{keyDepthSubmit, "a queue of 100,000 jobs against one of 100: submit, p50 / p99", depthGoal, notMeasured},
		{keyDepthDispatch, "the same: a ping that receives a job, p50 / p99", depthGoal, notMeasured},
		{keyDepthList, "the same: a page of 100 queued jobs, p50 / p99", depthGoal, notMeasured},
		{keyMany, "10,000 jobs on one agent: descriptors, processes and files left, growth of memory", "none, flat", notMeasured},
		{keyPages, "200 open pages of the web page: memory, CPU while nothing happens", "40 MB, 10 % of a core", notMeasured},
		{keyPagesJobs, "the same: a job every 20 ms, submission to finish: p50 to that without pages; p50, p99", "1.1 times", notMeasured},
		{keySeenCPU, "history and status of an agent against none: CPU time of a job `true`", "2 %", notMeasured},
		{keySeenMemory, "the same: resident memory, 1 worker", "1 MiB", notMeasured},
		{keySeenIdle, "the same: wake-ups of an idle agent", "no more", notMeasured},
		{keyAttacks, "attacks on the memory of a control plane: within their bound", "all", notMeasured},
	}
}

// experiment measures one figure, or several in one run.
type experiment struct {
	name string
	run  func(context.Context, *lab) ([]result, error)
}

func experiments() []experiment {
	return []experiment{
		{"dispatch", measureDispatch},
		{"steady", measureSteady},
		{"kill", measureKill},
		{"mute", measureMute},
		{"blackhole", measureBlackhole},
		{"stream-back", measureStreamBack},
		{"all-back", measureAllBack},
		{"storm", measureStorm},
		{wordStart, measureStart},
		{"idle", measureIdle},
		{"size", measureSize},
		{"kept", measureKept},
		{"throughput", measureThroughput},
		{"streams", measureStreams},
		{"depth", measureDepth},
		{keyMany, measureMany},
		{keyPages, measurePages},
		{"seen", measureSeen},
		{keyAttacks, measureAttacks},
	}
}

func names() []string {
	all := make([]string, 0, len(experiments()))
	for _, e := range experiments() {
		all = append(all, e.name)
	}
	return all
}
