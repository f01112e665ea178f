// Package integration runs realtimetest.RunBus over each bus on its real engine, with faults, and benchmarks them side
// by side. It is a module of its own, so that neither the engines' programs nor the other engines' clients get into the
// go.sum of a host.
package integration
