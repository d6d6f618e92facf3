// Package worldtest tests a whole system in one process: the control plane, with one or
// two replicas on one NATS server, and agents, over a network in memory. The program's
// own packages run, except the job's process, which is a wait.
//
// A world runs in a testing/synctest bubble, so its time is virtual: hours take
// seconds. It records every message that the control plane stores, and a test compares
// these records with the tables of packages lifecycle and workerstate.
//
// A history is what clients of two replicas have requested, and the responses, in real
// time. It is compared with a sequential model, which knows nothing of the control plane
// but its promises.
package worldtest
