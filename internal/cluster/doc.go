// Package cluster starts a NATS cluster and replicas of the control plane as processes
// on this machine, on loopback: for `task cluster`, and for the tests that kill, freeze
// and part them.
//
// Each process has a folder of its own below the directory of the cluster, with its log.
// The ports are free ones and stay the same when a process is started again. The servers
// of NATS do not announce each other to clients, so a test can lead each connection of a
// replica through a proxy of its own.
package cluster
