package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// group ends a program together with what it has started. It is a Windows job
// object. It differs from a process group on Unix:
//   - There are no signals. A canceled program gets CTRL_BREAK, whatever
//     Options.CancelSignal is, and only if it has a console; others are killed after
//     the grace period.
//   - Exit.Signal is always empty: a killed program has exit code 1.
//   - No process can leave the object, so kill ends daemons too. Processes that the
//     program starts before it is added to the object are not in it.
//   - A pipe has no read deadline: the output is closed under the reader.
type group struct {
	handle windows.Handle
	pid    int
}

func newGroup(*tree) (*group, error) {
	handle, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("creating a job object: %w", err)
	}
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{
		BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{
			LimitFlags: windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
		},
	}
	_, err = windows.SetInformationJobObject(handle, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("limiting a job object: %w", err), windows.CloseHandle(handle))
	}
	return &group{handle: handle}, nil
}

func (g *group) prepare(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}

	// cmd.exe does not follow the quoting rules of os/exec: with /S it takes all
	// text between the first and the last quote literally.
	if last := len(cmd.Args) - 1; strings.EqualFold(filepath.Base(cmd.Args[0]), "cmd.exe") {
		cmd.SysProcAttr.CmdLine = strings.Join(cmd.Args[:last], " ") + ` "` + cmd.Args[last] + `"`
	}
}

func (g *group) add(p *os.Process) error {
	g.pid = p.Pid
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(p.Pid))
	if err != nil {
		return fmt.Errorf("opening process %d: %w", p.Pid, err)
	}
	if err := windows.AssignProcessToJobObject(g.handle, process); err != nil {
		return errors.Join(fmt.Errorf("assigning process %d to its job object: %w", p.Pid, err), windows.CloseHandle(process))
	}
	if err := windows.CloseHandle(process); err != nil {
		return fmt.Errorf("closing process %d: %w", p.Pid, err)
	}
	return nil
}

func (g *group) await(cmd *exec.Cmd, pidfd *os.File) error { return awaitExit(cmd, pidfd) }

func (g *group) terminate(syscall.Signal) error {
	if err := windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(g.pid)); err != nil {
		return fmt.Errorf("sending CTRL_BREAK to process group %d: %w", g.pid, err)
	}
	return nil
}

func (g *group) kill(bool) error {
	if err := windows.TerminateJobObject(g.handle, 1); err != nil {
		return fmt.Errorf("ending job object of process %d: %w", g.pid, err)
	}
	return nil
}

func (g *group) close() error {
	if err := windows.CloseHandle(g.handle); err != nil {
		return fmt.Errorf("closing job object of process %d: %w", g.pid, err)
	}
	return nil
}

// SignalName returns what terminate sends.
func SignalName(syscall.Signal) string { return "CTRL_BREAK" }

// SignalNumber returns 0: this system has no numbers for signals.
func SignalNumber(string) int { return 0 }

// ParseSignal parses the name of a cancel signal. Only the default is accepted.
func ParseSignal(name string) (syscall.Signal, error) {
	if strings.TrimPrefix(strings.ToUpper(name), "SIG") != "TERM" {
		return 0, errors.New("must be SIGTERM: Windows has no others")
	}
	return syscall.SIGTERM, nil
}

// hint returns nothing: errors of Windows are clear.
func hint(error) string { return "" }

// killGroup does nothing: the job object ends with the agent.
func killGroup(int) error { return nil }
