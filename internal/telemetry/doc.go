// Package telemetry makes a running Switchyard visible from outside: the log of
// the program, and the transition log of its workers.
package telemetry
