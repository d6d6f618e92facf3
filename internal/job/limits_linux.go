package job

// Limits says in words, a line each, what this system does not offer to jobs.
// On Linux that is nothing.
func Limits() []string { return nil }
