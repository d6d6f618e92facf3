// Package scripttest has commands for scripts of testscript that run programs as
// processes beside the script. It is for tests only.
//
//	start NAME PROGRAM [ARGUMENT...]  begin a process with this name
//	expect NAME PATTERN [VARIABLE]    wait for a line of its output that matches, after the last
//	                                  expected line of that stream (there is no order between
//	                                  stdout and stderr); the pattern's first group becomes the
//	                                  variable
//	never NAME PATTERN                no line of its output so far matches
//	signal NAME SIGNAL                send it a signal, such as INT
//	end NAME CODE...                  wait for its end, with one of these exit codes or signals; then
//	                                  stdout and stderr are what it wrote
//	exits CODE PROGRAM [ARGUMENT...]  run a program to its end, with this exit code
//	certificate HOST CERT KEY [DAYS]  write a self-signed certificate for a host, and its key,
//	                                  valid now or in a number of days
//
// The processes that still run at the end of a script are killed. A package adds
// commands of its own with [Commands].
package scripttest
