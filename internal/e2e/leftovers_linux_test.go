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
	// moment is the time in which a job must end after its script has ended.
	moment = 30 * time.Second
	lookup = 20 * time.Millisecond
)

// endLeftovers kills the processes whose working directory is dir or below it, and
// returns their commands. With aMoment it first waits for them to end.
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
			command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // it may have ended
			commands = append(commands, strings.ReplaceAll(string(command), "\x00", " "))
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		return commands
	}
}

// processesIn returns the processes whose working directory is dir or below it.
func processesIn(dir string) []int {
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	var pids []int
	for _, link := range links {
		cwd, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(cwd, dir+"/") && cwd != dir {
			continue // it has ended, belongs to another user, or is elsewhere
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
