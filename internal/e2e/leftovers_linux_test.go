package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// moment is how long a job may take to see that its script is over.
	moment = 10 * time.Second
	lookup = 20 * time.Millisecond
)

// endLeftovers kills the processes that work in the directory or below, and
// returns their commands. If they are given a moment, only those that stay
// longer count.
func endLeftovers(dir string, aMoment bool) []string {
	ticker := time.NewTicker(lookup)
	defer ticker.Stop()
	deadline := time.Now().Add(moment)
	for {
		pids := processesIn(dir)
		if len(pids) == 0 {
			return nil
		}
		if aMoment && time.Now().Before(deadline) {
			<-ticker.C
			continue
		}
		commands := make([]string, 0, len(pids))
		for _, pid := range pids {
			command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // gone is as well
			commands = append(commands, strings.ReplaceAll(string(command), "\x00", " "))
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		return commands
	}
}

// processesIn finds the processes whose working directory is there.
func processesIn(dir string) []int {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	var pids []int
	for _, link := range links {
		cwd, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(cwd, dir+"/") && cwd != dir {
			continue // ended, of another user, or not ours
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
