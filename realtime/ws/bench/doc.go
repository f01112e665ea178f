// Command bench compares realtime/ws with what the kernel costs, and with centrifuge, in one run on one machine:
//
//	cd realtime/ws/bench && GOWORK=off go run . -gate
//
// The servers are
//
//	bare      one epoll loop that writes a frame that is encoded already: one system call for each delivery
//	joined    the same, but what waits is joined and written once for each subscriber
//	murph     this library's server
//	centrifuge
//
// Each runs in a process of its own on one core, and the same load client, one thread with epoll and a frame parser of
// its own, on another (taskset, where there is one and there are two cores). The client keeps W messages outstanding:
// when all deliveries of one have arrived, the next is published, over a plain TCP connection, so that the costs of a
// publishing API do not count. It checks that nothing is lost, doubled or out of order. CPU is user and system time of
// the server's process in the measured window, divided by the deliveries in it.
//
// The figures of a server are medians over rounds in which all servers take their turn. They are compared, not quoted:
// on another machine they are others, while the ratios hold. With -gate the command fails when a ratio is missed.
// With -hostile it measures something else: how long messages take from publishing until healthy subscribers' kernels
// have them, without and with hostile clients, four for each kind of attack, all at the same time; and how each attack
// ends, and when. What counts is the median over pairs of rounds. The server has all cores, or one with -one-core, and
// goes before everybody else on them. It takes -time 10s for the slow attacks to end.
// Everything happens on the loopback interface, and ends after some minutes (-rounds, -time).
package main
