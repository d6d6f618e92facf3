// Package process runs a program with everything that it starts, and ends all of
// it.
//
// [Start] starts a program in a process group of its own, with its stdout and
// stderr on one pipe or terminal. [Process.Wait] waits for its end, or ends it when
// the context is canceled: first the cancel signal, and SIGKILL when the grace
// period is over. [Process.Collect] then reads the rest of the output, kills what
// the program left running, and returns its exit status.
//
// # What a program leaves running
//
// Where this process may make control groups ([OpenCgroups]), each program has one, and all
// that is in it is killed. This finds everything but what an administrator's tool moves to
// another group, so the search below follows in any case; it is short.
//
// A process that leaves the group, such as a daemon with a session of its own, is
// found on Linux by
//   - an environment variable that marks all processes of one program,
//   - its session,
//   - its ancestors,
//   - being an orphan that no other program can have started, if this process has
//     a [Reaper].
//
// With a Reaper, everything that a program leaves running becomes a child of this
// process. So only the children of this process are read, and what is below those that it
// has not started: usually none. All processes of the machine are read only for a program
// that must be killed before it has ended, where the kernel does not list the children
// of a process, without a Reaper, and for the jobs of a killed agent.
//
// On other Unix systems such a process is not found. On Windows a job object holds
// all processes; see group_windows.go for what Windows lacks.
//
// Every wait has a deadline; see [Options].
package process
