// Package httpclient sends HTTP requests to a control plane: for agents (package
// transport) and for the commands of people (package client).
//
// An [Endpoint] is the base URL of a control plane, on a host or on a Unix socket.
// A [Client] dials it, through a proxy where the environment names one, and keeps
// the connections.
//
// # Protocols
//
// An https server is asked by ALPN for HTTP/2, else HTTP/1.1 is used. With
// [Options].DetectHTTP2 an http server is asked once, on a connection of its own,
// whether it speaks HTTP/2 without TLS; the result is kept until a request fails
// or [Client.ForgetProtocol] is called.
//
// # Addresses
//
// A name may have several addresses. A connection is opened to one of them at random,
// and to the next one when that fails or has not responded for 250 ms. An address that
// failed, or had no response to a request, is tried after the others for a while
// (package pick).
//
// # Few connections
//
// Over HTTP/2 one connection at a time is opened to an address. Requests that need one
// meanwhile share it, or its failure.
//
// # Dead connections
//
// An HTTP/2 connection that is silent for ten seconds is checked with a PING, and
// closed if no acknowledgement arrives within five more. Over HTTP/1.1 the
// kernel's keep-alive probes find a dead peer within thirty seconds.
//
// # Failures in plain words
//
// An error that means that the two sides could not agree on TLS has a [TLSError]
// in its chain, and one that means that nothing listens at an address, or that a name has
// no address, a [ConnectError]. Each says so in plain words.
package httpclient
