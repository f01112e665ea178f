//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ticks is USER_HZ, which is 100 on every Linux.
const ticks = 100

// cpuOf returns the user and system time of a process, in seconds.
func cpuOf(pid int) (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return float64(user+system) / ticks, err
}

func cpuOfSelf() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// resident returns the memory of a process that is in RAM, in KiB.
func resident(pid int) (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			return strconv.Atoi(strings.Fields(rest)[0])
		}
	}
	return 0, fmt.Errorf("process %d has no VmRSS", pid)
}

// watchMemory looks at a process's memory ten times a second. The function that it returns ends that and returns the
// largest that was seen, in KiB.
func watchMemory(pid int) (largest func() int) {
	stop, peak := make(chan struct{}), make(chan int)
	go func() {
		most := 0
		for tick := time.Tick(time.Second / 10); ; {
			n, _ := resident(pid)
			most = max(most, n)
			select {
			case <-tick:
			case <-stop:
				peak <- most
				return
			}
		}
	}()
	return func() int {
		close(stop)
		return <-peak
	}
}
