// Package controlplane is the server that holds jobs and workers: one process and
// one port. Start starts it; Server.Shutdown ends it.
//
// The port serves:
//
//   - the protocol of agents: REST below /v3/ and the stream (package agentwire);
//   - switchyard.v1, the API for people and programs (package api);
//   - the web page, below /, which makes calls of that API (package web);
//   - /metrics, for Prometheus (package metrics);
//   - /debug/pprof, profiles of the process, for operators (package profiles);
//   - /healthz, /readyz and grpc.health.v1.Health.
//
// HTTP/1.1 and HTTP/2 share the port. With a certificate ALPN negotiates the
// version; without one HTTP/2 is served in clear text, with prior knowledge.
//
// # Data directory
//
// The data directory holds the embedded store, the token files and a file named
// lock. The process that uses the directory holds the lock: two processes on one
// store would corrupt it. The directory has mode 0700, its files mode 0600.
//
// # Tokens
//
// The first start writes a random registration token and a random admin token
// into the data directory, in clear text, since people and agents on the same
// machine read them from there. The server keeps only their SHA-256 hashes and
// compares these in constant time. To keep the clear text off the machine, configure
// a token as "sha256:" and its hash in 64 hexadecimal digits, or write that into its
// file.
package controlplane
