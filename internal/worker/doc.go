// Package worker drives one worker: it turns what happens in the world into
// events of the machine in package fsm, and the machine's effects into calls,
// timers and a job.
//
// One goroutine owns the machine. It waits for the next event, asks the machine,
// and performs the effects, none of which blocks:
//
//	stream  --+                        +--> stream opened
//	ping    --+    +--------------+    +--> ping sent
//	job     --+--> | machine.Step | ---+--> job started
//	heart   --+    +--------------+    +--> timer armed
//	timers  --+                        +--> leave
//
// What an effect sets going runs in a goroutine of its own and posts what came
// of it as one event. Control is nowhere else: the goroutines share no flag, no
// lock and no state.
package worker
