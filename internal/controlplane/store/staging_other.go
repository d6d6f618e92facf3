//go:build !linux

package store

// memoryFolder returns a folder whose files are in memory: only Linux has one everywhere.
func memoryFolder() string { return "" }
