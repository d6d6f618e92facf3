package job

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

// jobObject is a Windows job object. What differs from a process group on Unix:
//   - There are no signals. The cancel signal is CTRL_BREAK, whatever Options.CancelSignal says, and only a program
//     with a console gets it; the others are killed when the grace is over.
//   - No signal is ever reported: a killed command has exit status "1".
//   - Nothing can leave the object, so that a kill gets all, daemons included; but what the command starts in the
//     instant before it is adopted is not in it.
//   - A pipe has no read deadline: what a survivor holds open is closed under the reader.
type jobObject struct {
	handle windows.Handle
	pid    int
}

func newGroup(*family) (group, error) {
	handle, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("making a job object: %w", err)
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
	return &jobObject{handle: handle}, nil
}

func (g *jobObject) prepare(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}

	// cmd.exe does not read its arguments by the rules that exec quotes them
	// by: with /S it takes all that is between the first quote and the last as
	// it stands.
	if last := len(cmd.Args) - 1; strings.EqualFold(filepath.Base(cmd.Args[0]), "cmd.exe") {
		cmd.SysProcAttr.CmdLine = strings.Join(cmd.Args[:last], " ") + ` "` + cmd.Args[last] + `"`
	}
}

func (g *jobObject) adopt(p *os.Process) error {
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

func (g *jobObject) await(cmd *exec.Cmd) error {
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("waiting for process %d: %w", cmd.Process.Pid, err)
	}
	return nil
}

func (g *jobObject) terminate(syscall.Signal) error {
	if err := windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(g.pid)); err != nil {
		return fmt.Errorf("sending CTRL_BREAK to process group %d: %w", g.pid, err)
	}
	return nil
}

func (g *jobObject) kill() error {
	if err := windows.TerminateJobObject(g.handle, 1); err != nil {
		return fmt.Errorf("ending job object of process %d: %w", g.pid, err)
	}
	return nil
}

func (g *jobObject) close() error {
	if err := windows.CloseHandle(g.handle); err != nil {
		return fmt.Errorf("closing job object of process %d: %w", g.pid, err)
	}
	return nil
}

// signalName names what terminate sends; Windows reports no signals.
func signalName(syscall.Signal) string { return "CTRL_BREAK" }

func defaultShell() []string { return []string{"cmd.exe", "/D", "/S", "/C"} }

// hint is what to do about an error of starting a command; Windows' own errors
// say it.
func hint(error) string { return "" }
