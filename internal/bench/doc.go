// Command bench measures the figures of the design with our own control plane on
// loopback, and prints them in the design's order.
//
// The control plane runs in this process. A probe around its handler records when
// messages are written and when requests arrive. The agent is the program, built
// as for a release and run as a separate process, so that the two sides do not
// share a runtime. Where the control plane itself is measured, in throughput for one, it is
// such a process, too. For a release switchyard is optimized for the profile
// cmd/switchyard/release.pgo, which this process and `go build ./cmd/switchyard` are not.
// A figure that is not reached is reported, and does not fail the run.
//
//	go run ./internal/bench            # everything, about twenty minutes
//	go run ./internal/bench -quick     # fewer samples and short outages, about two minutes
//	go run ./internal/bench -only dispatch,kill
//	go run ./internal/bench -only storm -plot storm.svg
//	go run ./internal/bench -peer      # a bare client, buildkite-agent and switchyard-agent, about six minutes
//
// The last one runs the three programs in turn against a control plane that stores
// nothing, some rounds of the same steps, and prints the ratios. In all three a job is the
// process /bin/sh -e -c true, so that the ratios are those of the programs alone. It says
// how late a timer was meanwhile: a figure that is not much larger is that of the machine.
//
// The experiment streams runs its workers, 20,000 by default, in a third process over
// raw frames of HTTP/2, and the same workers at a bare server of net/http, whose costs are
// the limit of what a stream can cost there. An HTTP/2 connection of ten workers takes a
// descriptor on each side.
//
// The experiment seen compares agents that keep a history and serve their status with one that
// does neither, in rounds of new processes: the median of the differences of the rounds, with
// the interval that has it with 95 % confidence, and whether that is within its bound. A second
// agent that does neither shows how much equal ones differ. On a busy machine the interval is
// wide, and the outcome open.
//
// With -profiles the experiment throughput records CPU profiles of its control plane, which
// `task profile` makes into that for the builds of a release.
//
// The storm draws when the requests of 1,000 workers arrive before and after a
// restart of the control plane; testdata/storm.svg is an example, and storm.txt
// its figures. On a busy machine processes stall, and their requests arrive
// together: the notes say how late a timer fired meanwhile.
package main
