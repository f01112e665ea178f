//go:build linux

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

// settings are the command line. The same binary is the server and the load client: it starts itself with -role.
type settings struct {
	role, kind    string
	gate, memory  bool
	hostile       bool
	rounds        int
	window        time.Duration
	warmUp        time.Duration
	addr, control string
	pid           int
	conns         int
	channels      int
	outstanding   int
	idle          string
	kinds         string
	rate          float64
	only          int
	oneCore       bool
}

func main() {
	var s settings
	flag.StringVar(&s.role, "role", "", "server, load or attack; empty to run the comparison")
	flag.StringVar(&s.kind, "kind", "", "the server")
	flag.BoolVar(&s.gate, "gate", false, "fail when a ratio is missed")
	flag.BoolVar(&s.hostile, "hostile", false, "measure what hostile clients do to the others, and nothing else")
	flag.BoolVar(&s.memory, "memory", true, "measure idle connections too")
	flag.StringVar(&s.idle, "idle", "5000,19000", "numbers of idle connections")
	flag.IntVar(&s.only, "only", 0, "the scenario to run, or with -hostile the audience, from 1; 0 for all")
	flag.BoolVar(&s.oneCore, "one-core", false, "with -hostile: the server has one core, instead of all")
	flag.IntVar(&s.rounds, "rounds", 5, "runs of each server; the median of the rounds' ratios counts")
	flag.DurationVar(&s.window, "time", 2*time.Second, "what is measured of a run")
	flag.DurationVar(&s.warmUp, "warm-up", time.Second, "what is not measured of a run")
	flag.StringVar(&s.addr, "addr", "", "load: the server's address")
	flag.StringVar(&s.control, "control", "", "load: where to publish")
	flag.IntVar(&s.pid, "pid", 0, "load: the server's process")
	flag.IntVar(&s.conns, "conns", 1000, "load: connections")
	flag.IntVar(&s.channels, "channels", 1, "load: channels, with an equal share of the connections each")
	flag.IntVar(&s.outstanding, "outstanding", 1, "load: messages whose deliveries may be missing")
	flag.StringVar(&s.kinds, "kinds", strings.Join(kinds, ","), "the servers to run")
	flag.Float64Var(&s.rate, "rate", 0, "load: messages a second, instead of a number that is outstanding")
	flag.Parse()
	kinds = strings.Split(s.kinds, ",")

	var err error
	switch s.role {
	case "server":
		err = serve(s.kind)
	case "load":
		var res result
		if res, err = load(s); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(res)
		}
	case "attack":
		err = attackAll(s.addr)
	default:
		run := compare
		if s.hostile {
			run = besiege
		}
		err = run(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
