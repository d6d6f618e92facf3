// Package web serves the web page of the control plane: queues, jobs, logs, workers and
// the audit log, for people.
//
// It is rendered on the server, from templates that escape everything. A script of one
// file, which the page works without, loads parts of the page again when something has
// changed, and appends the lines of a log. Everything is embedded, and the policy of the
// page allows nothing else.
//
// The page has no way of its own to what is stored: it makes the calls of switchyard.v1
// (api.Local) as the token with which its reader has signed in, so scopes, queues, bounds
// and the audit log are those of the API. A GET changes nothing; a POST must come from the
// page itself, and is refused by its header before its body is read.
package web
