// Package audit keeps the audit log: which caller changed what, from where and when.
// The log is in the store, bounded, and shared by replicas; each event is a line of
// the control plane's own log, too.
package audit
