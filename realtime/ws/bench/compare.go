//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scenario is one way of using the servers.
type scenario struct {
	name                         string
	conns, channels, outstanding int
}

var scenarios = []scenario{
	{"1,000 subscribers, 1 message", 1000, 1, 1},
	{"1,000 subscribers, 8 messages", 1000, 1, 8},
	{"100 channels of 10, 64 messages", 1000, 100, 64},
}

// bound is a ratio that the library has to keep: the cost of one server over that of another.
type bound struct {
	scenario   int
	over, base string
	most       float64
}

var bounds = []bound{
	{0, "murph", "bare", 1.2},
	{1, "murph", "joined", 1.3},
	{0, "murph", "centrifuge", 1 / 1.5},
	{1, "murph", "centrifuge", 1 / 1.5},
	{2, "murph", "centrifuge", 1 / 1.7},
}

// maxIdle is what an idle connection may cost, in KiB.
const maxIdle = 16.0

// compare runs everything and prints the report.
func compare(s settings) error {
	costs := make([]map[string][]float64, len(scenarios))
	var missed []string
	fmt.Printf("%-34s %-11s %10s %17s %12s %10s\n", "", "", "us/deliv.", "(min-max)", "deliveries/s", "client us")
	for i, sc := range scenarios {
		if s.only != 0 && s.only != i+1 {
			continue
		}
		costs[i] = map[string][]float64{}
		runs := map[string][]result{}
		for range s.rounds {
			for _, kind := range kinds {
				r, err := measure(s, kind, sc)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", sc.name, kind, err)
				}
				runs[kind] = append(runs[kind], r)
			}
		}
		for _, kind := range kinds {
			costs[i][kind] = report(sc.name, kind, runs[kind])
		}
	}
	fmt.Println()
	for _, b := range bounds {
		rounds := ratios(costs[b.scenario][b.over], costs[b.scenario][b.base])
		if len(rounds) == 0 {
			continue // one of them has not run
		}
		ratio := median(rounds)
		verdict := "ok"
		if ratio > b.most {
			verdict = "MISSED"
			missed = append(missed, fmt.Sprintf("%s: %s/%s %.2f", scenarios[b.scenario].name, b.over, b.base, ratio))
		}
		fmt.Printf("%-34s %s/%s = %.2f (%.2f-%.2f; %.2f x less), at most %.2f: %s\n", scenarios[b.scenario].name,
			b.over, b.base, ratio, slices.Min(rounds), slices.Max(rounds), 1/ratio, b.most, verdict)
	}
	if s.memory {
		over, err := compareMemory(s)
		if err != nil {
			return err
		}
		missed = append(missed, over...)
	}
	if s.gate && len(missed) > 0 {
		return errors.New("missed: " + strings.Join(missed, "; "))
	}
	return nil
}

// ratios are those of the costs of two servers in the same round: what else the machine does changes from round to round,
// and less within one.
func ratios(over, base []float64) []float64 {
	var all []float64
	for i := range min(len(over), len(base)) {
		all = append(all, over[i]/base[i])
	}
	return all
}

// report prints the medians of a server's runs and returns its cost in each, in microseconds for each delivery.
func report(name, kind string, runs []result) []float64 {
	var cpu, rate, client []float64
	for _, r := range runs {
		cpu = append(cpu, 1e6*r.CPU/float64(r.Deliveries))
		rate = append(rate, float64(r.Deliveries)/r.Seconds)
		client = append(client, 1e6*r.ClientCPU/float64(r.Deliveries))
	}
	fmt.Printf("%-34s %-11s %10.2f %8.2f-%-8.2f %12.0f %10.2f\n",
		name, kind, median(cpu), slices.Min(cpu), slices.Max(cpu), median(rate), median(client))
	return cpu
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// compareMemory holds connections that do nothing, on the library's server and on centrifuge.
func compareMemory(s settings) (missed []string, err error) {
	fmt.Printf("\n%-34s %-11s %17s %17s\n", "KiB for each idle connection", "", "as it is", "after collection")
	for field := range strings.SplitSeq(s.idle, ",") {
		n, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		for _, kind := range []string{"murph", "centrifuge"} {
			if !slices.Contains(kinds, kind) {
				continue
			}
			r, err := measure(s, kind, scenario{"idle", n, 1, 0})
			if err != nil {
				return nil, fmt.Errorf("%d idle connections, %s: %w", n, kind, err)
			}
			each := float64(r.Collected-r.ResidentBefore) / float64(n)
			fmt.Printf("%-34d %-11s %17.1f %17.1f\n", n, kind, float64(r.Resident-r.ResidentBefore)/float64(n), each)
			if kind == "murph" && each > maxIdle {
				missed = append(missed, fmt.Sprintf("%.1f KiB for each of %d idle connections", each, n))
			}
		}
	}
	return missed, nil
}

// measure starts a server and the load client, each on its core.
func measure(s settings, kind string, sc scenario) (result, error) {
	var res result
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute+s.warmUp+s.window)
	defer cancel()
	server := pinned(ctx, 0, "-role", "server", "-kind", kind)
	server.Stderr = os.Stderr
	addrs, stop, err := startServer(server)
	if err != nil {
		return res, err
	}
	defer stop()
	load := pinned(ctx, 1, "-role", "load", "-kind", kind, "-addr", addrs[0], "-control", addrs[1],
		"-pid", strconv.Itoa(server.Process.Pid), "-conns", strconv.Itoa(sc.conns),
		"-channels", strconv.Itoa(sc.channels), "-outstanding", strconv.Itoa(sc.outstanding),
		"-warm-up", s.warmUp.String(), "-time", s.window.String())
	load.Stderr = os.Stderr
	out, err := load.Output()
	if err != nil {
		return res, err
	}
	return res, json.Unmarshal(out, &res)
}

// anyCore is all of them.
const anyCore = -1

// pinned makes a command that starts this program on one core.
func pinned(ctx context.Context, core int, args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	if taskset, err := exec.LookPath("taskset"); err == nil && runtime.NumCPU() > 1 && core != anyCore {
		return exec.CommandContext(ctx, taskset, append([]string{"-c", strconv.Itoa(core), self}, args...)...)
	}
	return exec.CommandContext(ctx, self, args...)
}
