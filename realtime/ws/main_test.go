package ws_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails when a connection's goroutines outlive the tests.
func TestMain(m *testing.M) {
	if args := os.Getenv(crowdEnv); args != "" {
		if err := runCrowd(args); err != nil {
			fmt.Fprintln(os.Stderr, "the crowd:", err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	var stacks string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); runtime.Gosched() {
		buf := make([]byte, 1<<20)
		stacks = string(buf[:runtime.Stack(buf, true)])
		if !strings.Contains(stacks, "realtime/ws.(*") && !strings.Contains(stacks, "/websocket.") {
			os.Exit(code)
		}
	}
	fmt.Fprintln(os.Stderr, "goroutines are left:\n"+stacks)
	os.Exit(1)
}
