// Package client calls a control plane's API for people and programs, switchyard.v1:
// submitting, showing and following jobs, and operating workers.
//
// Every error of a call is an [*Error]: one line with what was asked of which control
// plane, why it failed, and what to do.
//
// [Client.Follow] survives the loss of its connection: it continues where it was when
// the control plane restarts or the network fails, so that a log arrives complete and
// once.
package client
