// Package worker drives one worker: it turns what happens outside into events of
// the machine in package fsm, and the machine's effects into calls, timers and a
// job.
//
// One goroutine owns the machine. It waits for the next event, asks the machine,
// and performs the effects, none of which blocks:
//
//	stream     --+                        +--> open the stream
//	ping       --+    +--------------+    +--> send a ping
//	job        --+--> | machine.Step | ---+--> run a job
//	heartbeat  --+    +--------------+    +--> set a timer
//	timers     --+                        +--> stop
//
// An effect that takes time runs in a goroutine of its own and reports its
// outcome as one event. Nothing else controls the worker: the goroutines share no
// flag, no lock and no state.
package worker
