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
package main
