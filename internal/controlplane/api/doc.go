// Package api serves switchyard.v1, the API for people and programs, over
// Connect, gRPC and gRPC-Web. Every call requires a
// token whose scope allows it. Local makes the same calls in this process, for the web page.
//
// A bad request returns InvalidArgument with the field and its bound. Errors of
// the dispatcher and the store return the code that fits; their details, which
// may name files and addresses, are logged and not sent.
package api
