// Package controlplane is the server that holds jobs and agents: one process,
// one port, started by Start and ended by Server.Shutdown.
//
// On that port it serves the agents' wire (REST under /v3/ and the stream
// endpoint, package agentwire), the API for people and programs (switchyard.v1,
// package api), /healthz, /readyz and grpc.health. HTTP/1.1 and HTTP/2 share the
// port: HTTP/2 is negotiated by ALPN where there is a certificate, and spoken
// without TLS, with prior knowledge, where there is none.
//
// # The data directory
//
// It holds the embedded store, the registration token and the admin token, and
// the file named lock, which the process that uses the directory keeps locked:
// two processes with one store would destroy it. The directory is made with mode
// 0700 and its files with mode 0600.
//
// # Tokens
//
// The token files hold clear text, because they are the place where people and
// the agents on the same machine read them from. The server itself compares
// hashes only, in constant time. Where even the file should not hold a usable
// token, a configured token, or the file, may be "sha256:" and 64 hexadecimal
// digits instead, which is what HashToken makes of a token.
package controlplane
