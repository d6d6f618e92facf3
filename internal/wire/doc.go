// Package wire holds what both sides of the Buildkite agent protocol must agree
// on: REST bodies, paths, header names, environment variable names, instruction
// kinds and job states. The agent's side (package transport) and the control
// plane's side (package agentwire) import it, so that each fact is in one place.
//
// The package only converts its own types, and imports no other package of this
// module. JSON tags and omitempty are part of the protocol: conformance
// tests of both sides compare whole bodies.
package wire
