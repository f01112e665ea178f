//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The times of the server that is attacked.
const (
	siegeActivity = 5 * time.Second
	siegePong     = 2 * time.Second
)

// audience is who else is on the server that is attacked, and how many messages a second it gets.
type audience struct {
	name            string
	conns, channels int
	rate            float64
}

var audiences = []audience{
	{"1,000 subscribers, 20 messages/s", 1000, 1, 20},
	{"100 channels of 10, 500 messages/s", 1000, 100, 500},
	{"1 subscriber, 100 messages/s", 1, 1, 100},
}

// maxMove is how much longer the slowest of a hundred messages may take because of the attacks, in percent.
const maxMove = 10.0

// besiege measures how long messages take to healthy subscribers with all attacks at the same time and without any, in
// turn, and what the attacks come to.
func besiege(s settings) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	var tries []encounter
	var missed []string
	fmt.Printf("%-36s %-9s %9s %9s %9s %9s %8s\n", "ms from publishing to arrival", "", "p50", "attacked", "p99", "attacked", "moves")
	for i, who := range audiences {
		if s.only != 0 && s.only != i+1 {
			continue
		}
		var p50, p99 [2][]float64 // without, with
		var peak, cpu [2]float64
		for range s.rounds {
			// A server for each round, or what the last one left behind counts.
			for attacked := range 2 {
				r, seen, rss, err := siegeRound(ctx, s, who, attacked == 1)
				if err != nil {
					return fmt.Errorf("%s: %w", who.name, err)
				}
				p50[attacked], p99[attacked] = append(p50[attacked], 1e3*r.P50), append(p99[attacked], 1e3*r.P99)
				peak[attacked] = max(peak[attacked], float64(rss)/1024)
				cpu[attacked] += 100 * r.CPU / r.Seconds / float64(s.rounds)
				tries = append(tries, seen...)
			}
		}
		moves := make([]float64, s.rounds) // of a pair, which has the same neighbours on the machine
		for i := range moves {
			moves[i] = 100 * (p99[1][i]/p99[0][i] - 1)
		}
		fmt.Printf("%-36s %-9s %9.2f %9.2f %9.2f %9.2f %+7.1f%%\n", who.name, "",
			median(p50[0]), median(p50[1]), median(p99[0]), median(p99[1]), 100*(median(p99[1])/median(p99[0])-1))
		fmt.Printf("%-36s median of pairs %+.1f%%, RSS peak %.1f and %.1f MB, server CPU %.0f%% and %.0f%%\n", "",
			median(moves), peak[0], peak[1], cpu[0], cpu[1])
		if move := median(moves); move > maxMove {
			missed = append(missed, fmt.Sprintf("%s: p99 moves by %.1f%%", who.name, move))
		}
	}
	fmt.Printf("\n%-28s %7s %-22s %-12s %9s %9s\n", "attack", "tries", "end", "documented", "median s", "longest s")
	unexpected := 0
	for _, a := range attacks {
		ends := map[string][]float64{}
		for _, e := range tries {
			if e.Attack == a.name {
				ends[e.End] = append(ends[e.End], e.Seconds)
			}
		}
		for end, took := range ends {
			fmt.Printf("%-28s %7d %-22s %-12s %9.3f %9.3f\n", a.name, len(took), end, a.want, median(took), slices.Max(took))
			if end != a.want {
				unexpected += len(took)
			}
		}
		if len(ends) == 0 {
			unexpected++
			fmt.Printf("%-28s has not ended\n", a.name)
		}
	}
	if unexpected > 0 {
		missed = append(missed, fmt.Sprintf("%d attacks did not end as documented", unexpected))
	}
	if s.gate && len(missed) > 0 {
		return errors.New("missed: " + strings.Join(missed, "; "))
	}
	return nil
}

// siegeRound measures one round. It returns the server's largest memory in KiB too.
func siegeRound(ctx context.Context, s settings, who audience, attacked bool) (res result, seen []encounter, rss int, err error) {
	serverCore := anyCore
	if s.oneCore {
		serverCore = 0
	}
	server := first(ctx, 2, pinned(ctx, serverCore, "-role", "server", "-kind", "besieged"))
	server.Stderr = os.Stderr
	addrs, stop, err := startServer(server)
	if err != nil {
		return res, nil, 0, err
	}
	defer stop()
	largest := watchMemory(server.Process.Pid)
	defer func() { rss = largest() }()
	var report bytes.Buffer
	endAttack := func() error { return nil }
	if attacked {
		if endAttack, err = startAttack(ctx, addrs[0], &report); err != nil {
			return res, nil, 0, err
		}
	}
	load := first(ctx, 1, pinned(ctx, 1, "-role", "load", "-kind", "besieged", "-addr", addrs[0], "-control", addrs[1],
		"-pid", strconv.Itoa(server.Process.Pid), "-conns", strconv.Itoa(who.conns), "-channels", strconv.Itoa(who.channels),
		"-outstanding", "0", "-rate", fmt.Sprint(who.rate), "-warm-up", s.warmUp.String(), "-time", s.window.String()))
	load.Stderr = os.Stderr
	out, err := load.Output()
	if err != nil {
		return res, nil, 0, err
	}
	if err = json.Unmarshal(out, &res); err != nil {
		return res, nil, 0, err
	}
	if err = endAttack(); err != nil || !attacked {
		return res, nil, 0, err
	}
	return res, seen, 0, json.Unmarshal(report.Bytes(), &seen)
}

// startServer starts a server and reads its two addresses.
func startServer(server *exec.Cmd) (addrs []string, stop func(), err error) {
	stdin, err := server.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := server.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() {
		_ = stdin.Close() // which ends it
		_ = server.Wait()
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		stop()
		return nil, nil, fmt.Errorf("the server has not started: %w", err)
	}
	return strings.Fields(line), stop, nil
}

// first has a process go before all others on the machine, and before those of a smaller priority, where that is
// permitted: what they do would be the largest part of what is measured.
func first(ctx context.Context, priority int, cmd *exec.Cmd) *exec.Cmd {
	chrt, err := exec.LookPath("chrt")
	if err != nil || exec.CommandContext(ctx, chrt, "--fifo", strconv.Itoa(priority), "true").Run() != nil {
		return cmd
	}
	return exec.CommandContext(ctx, chrt, append([]string{"--fifo", strconv.Itoa(priority)}, cmd.Args...)...)
}

// startAttack starts the attackers. They share a core with the healthy clients, whose time is what is measured, so those
// go first.
func startAttack(ctx context.Context, addr string, report *bytes.Buffer) (end func() error, err error) {
	attack := pinned(ctx, 1, "-role", "attack", "-addr", addr)
	if nice, err := exec.LookPath("nice"); err == nil {
		attack = exec.CommandContext(ctx, nice, append([]string{"-n", "19"}, attack.Args...)...)
	}
	attack.Stdout, attack.Stderr = report, os.Stderr
	stdin, err := attack.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := attack.Start(); err != nil {
		return nil, err
	}
	return func() error {
		_ = stdin.Close()
		return attack.Wait()
	}, nil
}
