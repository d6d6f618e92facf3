// Package workerstate is the machine of a registered worker as the control plane
// records it: whether it may be assigned jobs, was paused, is draining, was
// stopped, fell silent, or left. Like package lifecycle it is one table, pure,
// and the only code that changes the state of a worker's record.
//
//	available <--> paused
//	    |             |
//	    +--> draining <+--> stopped          each of the four <--> lost
//	            |               |
//	            +---> left <----+            left is final
//
// A lost worker returns to the state that it was in with its next request. A drain
// outranks a pause: a draining worker takes no work in any case.
package workerstate
