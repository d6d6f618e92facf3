//go:build !linux

package store

// memoryFolder is a folder whose files are in memory: only Linux has one everywhere.
const memoryFolder = ""
