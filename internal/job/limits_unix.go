//go:build unix && !linux

package job

// Limits says in words, a line each, what this system does not offer to jobs.
func Limits() []string {
	return []string{
		"a process that leaves its job's process group, as daemons do, is not found at the job's end; only Linux tells of it",
		"the processes of jobs whose agent was killed are not found when it starts again",
	}
}
