// Package simulation runs a fleet that is larger than one machine can hold, in virtual
// time: 100,000 workers of ten replicas. Agents decide when to reconnect with package
// pace, and replicas which streams to give up with schedule.Balance, as the programs do.
// Requests wait for the processor of their replica, which needs the time of Measured for
// each. The same seed makes the same fleet. The tests hold what is said here.
//
// # What was measured
//
// On two cores that were busy with other work, with 20,000 streams of one control plane,
// ten on a connection (`task bench -- -only streams`), as CPU time:
//
//   - 0.5 ms for a worker that comes back after a restart, with a ping and a stream, measured
//     with 2,000 of them; the profile divides it into about 0.15 and 0.35 ms.
//   - 4.9 s in 30 idle seconds, with a keep-alive and a heartbeat of each: 8 us a second for
//     a worker.
//   - 0.4 s of that for the sweeps, which look at each worker that a replica knows, and 2 to
//     8 us for each heartbeat of which another replica tells: about 1 us a second for a
//     worker that is known.
//   - 10 to 22 us for the announcement of a stream by another replica.
//
// A stream of the store took 2,416 records a second from 82 writers on a disk with a sync
// of 1 ms, which is 600 jobs a second.
//
// # What the loss of a replica costs
//
// One of ten replicas is killed: 9,990 workers lose their stream. All have one again
// after a second, half of them after half a second, and no request waits for longer than
// 0.1 s. Five of ten: 50,017 workers, all back after 2.8 s; the longest wait is 1.8 s. All
// ten, for ten seconds: 100,000 are back 4.1 s after the replicas serve, half of them after
// 1.8 s. The start itself is not simulated. A control plane of 20,000 workers, on two cores that
// were idle, was ready 2.7 s after its start; the last worker was back 31 s later, as those
// that it had refused meanwhile waited for as long as it had asked them to.
// That the host of a replica has gone, so that nobody closes its connections, is noticed
// by the missing keep-alive, after up to 75 s: then the workers poll, and keep working.
//
// # No herd
//
// Streams are opened at random moments of a second, as many in each tenth of it as chance
// has. Pings are not: each worker whose stream is lost without a notice sends one at once,
// so that a job which it was just given is not late. These pings are the busiest moment of
// a replica, 1,268 requests in a tenth of a second after the loss of one replica of ten, and
// 11,231 after the loss of five. They cost 0.15 ms each, so they are answered within the
// second in which the streams follow.
//
// # A replica that comes back
//
// It has no streams, and nine others have 11 % more than their share each. They give up
// 6 % of it, a hundred every five seconds at most, and only one in ten of these is opened at
// the empty replica, since the load balancer does not know which one that is: after half an
// hour it has half of its share, for 52,000 streams that were opened again. No replica
// receives more than 14 requests in a tenth of a second meanwhile.
//
// # What bounds it next
//
// One queue: all of its jobs are in one stream of the store, if queues are spread over
// streams by a hash of their names, which is not built. A thousand equal queues on ten
// streams reach 5,700 jobs a second instead of 600, and a thousand of which the largest has
// a seventh of all jobs 3,100; a single queue stays at 600.
//
// Then what every replica does for every worker and job, wherever its stream is. An idle
// replica of ten needs 9 % of two cores, and 6 % still with forty replicas. Each of them has
// every worker in its index, too. Beyond some hundred thousand workers, replicas should know
// the queues that they serve only.
package simulation
