// Package logview shows a log to people, some lines at a time.
//
// A log is bytes; a page shows numbered lines with colors. Lines cuts bytes into lines,
// and keeps the style with which the next one begins, so that each line is rendered by
// itself: a progress bar that redraws its line is one line, in its last form. Index finds
// the place of a line in a log of any size from some marks, without keeping the log.
package logview
