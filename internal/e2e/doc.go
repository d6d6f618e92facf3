// Package e2e holds the end-to-end tests: the program as processes of its own, on
// loopback sockets, with the stream cut where a test needs that. A case is a
// script; a new case needs no Go. A fault of the network is a row of the table in
// faults_test.go. TestChaos kills, freezes and cuts everything at random; its seed
// is printed, and -args -chaos-seed SEED repeats its disturbances. TestCluster disturbs a
// cluster of NATS servers and replicas (package cluster), by the table in
// cluster_unix_test.go.
//
// The scripts of testdata/script choose their path themselves. Those of
// testdata/path check what must hold on every path by which jobs reach a worker;
// they run once for each row of the table in script_test.go. Those of
// testdata/nginx run with nginx between agents and control plane. Where nginx is
// not installed they are skipped, unless SWITCHYARD_REQUIRE_NGINX=1. Those of
// testdata/peer run jobs on Buildkite's agent, on every path too. It must be on the
// PATH or named by SWITCHYARD_PEER_AGENT; else they are skipped, unless
// SWITCHYARD_REQUIRE_PEER=1.
//
// The scripts of testdata/disk have a small disk, $DISK, which they may fill. Only root
// can mount one, on Linux; else they are skipped, unless SWITCHYARD_REQUIRE_DISK=1.
//
// Each script has its own directory, which is its $HOME and holds the data
// directory. The settings of all scripts are in the environment; see script_test.go.
//
// Besides the commands of package scripttest there are these:
//
//	ready NAME         wait until a control plane is up; later commands call it, and a later start
//	                   takes the same port
//	terminal NAME PROGRAM [ARGUMENT...]
//	                   start a process with a terminal of its own
//	hangup NAME        close its terminal, as a window that is closed
//	peak NAME MIB      check that the process never had so much in memory (on Linux, without the
//	                   race detector)
//	repository MODULE  serve a required module of this one as a git repository on loopback; $REPO
//	                   and $COMMIT are what to check out, $GOCACHE saves building the standard library
//	proxy              start a proxy between the control plane and agents that start later
//	proxy VARIABLE     start another one, whose URL for agents is stored; its route PATH is written
//	                   VARIABLE/PATH
//	nginx FRONT        start nginx there, with a front of testdata/nginx; the front OPERATING is that of
//	                   OPERATING.md for the replicas at $ONE and $TWO, with cert.pem and key.pem
//	nats VARIABLE      start a NATS server that replicas share, whose URL is stored
//	call STATUS TOKEN METHOD PATH [BODY]
//	                   make a call of the agents' API, such as PUT jobs/ID/accept, and check its
//	                   status; TOKEN "registration" is the control plane's own
//	field NAME VARIABLE
//	                   store a field of the last answer
//	cut stream|PATH    make the proxy break the connections of a route
//	mute stream|PATH   make it keep the connections of a route, and forward no answer
//	respond stream|PATH STATUS RETRY-AFTER [BODY]
//	                   make it answer requests for a route itself; RETRY-AFTER 0 is no such header
//	heal stream|PATH   make it forward the route again
//
// A job gets its script's directory as $HOME, and a program `hold FILE` that waits
// until the script has made that file there.
//
// At the end of a script its processes are killed. If the script has passed, no
// process that it started may be left; the job of an agent that was killed may take
// a moment to end.
package e2e
