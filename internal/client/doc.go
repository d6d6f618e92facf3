// Package client talks to a control plane's API for people and programs,
// switchyard.v1, for the commands that submit, show and follow jobs and look
// after agents.
//
// Every error is an *Error: one line that says what was asked of which control
// plane, why it failed, and what to do.
//
// Client.Follow is the one call that outlives a connection: it reads on where
// it was when the control plane restarts or the network breaks, so that a log
// arrives whole and once.
package client
