// Package api serves switchyard.v1, the API for people and programs, over
// Connect, gRPC and gRPC-Web. Every call is authenticated with the admin token.
//
// What is wrong with a request is said by field and bound, with the code
// InvalidArgument; what the store or the dispatcher say is said with the code that
// fits, and their inner words stay in the log.
package api
