// Package e2e holds the end-to-end tests: the program itself, as processes of
// its own on loopback sockets, with the stream's route cut where a test wants
// that. A case is a script, not Go code. A fault of the wire is
// a row of the table in faults_test.go.
//
// The scripts of testdata/script run as they are. Those of testdata/path are
// about what must hold by whichever way work reaches a worker, and run once for
// each row of the table in script_test.go. Those of testdata/nginx have nginx
// stand between; where it is not installed they are left out, unless
// SWITCHYARD_REQUIRE_NGINX=1 asks for them. Those of testdata/peer have the
// agent of Buildkite take its jobs, over every path too; it is found on
// the PATH or by SWITCHYARD_PEER_AGENT, and SWITCHYARD_REQUIRE_PEER=1 asks for it.
// Each script has a directory of its
// own, which is its $HOME and holds the data directory. Settings that all share
// come from the environment, as a user could set them; see the table.
//
// Besides the commands of testscript there are these:
//
//	start NAME PROGRAM [ARGUMENT...]  begin a process
//	expect NAME PATTERN [VARIABLE]    wait for a line of its output, behind the one expected last; the
//	                                  pattern's first group goes into the variable
//	never NAME PATTERN                no line of its output so far is like this
//	signal NAME INT|TERM|KILL         send it a signal
//	end NAME CODE                     wait for its end, with this exit code or "killed"; stdout and
//	                                  stderr are then what it wrote
//	ready NAME                        wait until a control plane is up, and let later commands find it,
//	                                  a later start on the same port included
//	peak NAME MIB                     have it checked that the process never had so much in memory (on Linux,
//	                                  and not under the race detector)
//	exits CODE PROGRAM [ARGUMENT...]  run a program to its end, with this exit code
//	repository MODULE                 serve a module of this one's requirements from a git repository on loopback;
//	                                  $REPO and $COMMIT are what to check out, $GOCACHE saves building all of Go
//	proxy                             put a proxy between the control plane and agents that start later
//	nginx FRONT                       put nginx there, with a front of testdata/nginx
//	cut stream|PATH                   have the proxy break a route
//	mute stream|PATH                  have it keep the route's connections, and forward no answer
//	heal stream|PATH                  have it let the route through again
//
// A job finds its script's directory as $HOME, and a program `hold FILE` that
// waits until the script has made that file there.
//
// At a script's end its processes are killed. If it has passed, nothing that it
// started may be left then; a job of an agent that was killed is given a moment.
package e2e
