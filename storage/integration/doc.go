// Package integration holds what is proved about bunstore on a real PostgreSQL: the conformance suite over four drivers,
// the round trips of each call counted on the wire, the races, the faults, the plans and the benchmarks. It has nothing to
// import; the folder pgtest beside it gives a server to any test.
package integration
