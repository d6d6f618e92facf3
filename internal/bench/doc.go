// Command bench measures the figures that the design sets itself, against our
// own control plane on loopback, and prints them in the design's order.
//
// The control plane runs in this process, with a probe around its handler that
// notes when a message is written and when a request arrives. The agent is the
// program itself, built as it is released and run as a process of its own, so
// that no figure is made better or worse by sharing a runtime with the other
// side. Nothing is asserted about time: a figure that is not reached is
// reported, not failed.
//
//	go run ./internal/bench            # everything, about ten minutes
//	go run ./internal/bench -quick     # fewer samples and short outages, about two minutes
//	go run ./internal/bench -only dispatch,kill
//	go run ./internal/bench -only storm -plot storm.svg
//
// The last draws when the requests of 1,000 workers come around a restart of the
// control plane; testdata/storm.svg is one such picture, and storm.txt its figures.
// A machine that is busy with other things stalls, and what stalled arrives
// together: the notes say how late a timer was meanwhile.
package main
