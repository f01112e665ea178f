package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/murph-chat/murph/examples/internal/demo"
)

// envNode makes this program one of the processes; its value is a nodeConfig as JSON.
const envNode = "MURPH_MULTINODE_NODE"

// notice is how long a process that is to stop goes on, so that the proxy sees that it is going.
const notice = time.Second

type nodeConfig struct {
	Engine, EngineAddr, DB, Web string
}

// runNode is the whole of a process: the application of the other examples, with a bus. It ends with SIGTERM, and with the
// program that has started it.
func runNode(text string) error {
	var cfg nodeConfig
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		return err
	}
	signal.Ignore(os.Interrupt) // the parent gets it too, and tells the processes one by one
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // its end is that of the parent
		stop()
	}()
	bus, done, err := openBus(ctx, cfg.Engine, cfg.EngineAddr)
	if err != nil {
		return err
	}
	defer done()
	transport, err := demo.Cluster(bus)
	if err != nil {
		return err
	}
	app, err := demo.New(ctx, demo.Config{DB: cfg.DB, Web: cfg.Web, Notice: notice}, transport)
	if err != nil {
		return err
	}
	return demo.Serve(ctx, app, "127.0.0.1:0", false)
}

// node is a process that runs.
type node struct {
	cmd   *exec.Cmd
	stdin io.Closer
	addr  string
	ended chan struct{} // closed when it has
}

// startNode returns when the process answers.
func startNode(cfg nodeConfig, env []string) (*node, error) {
	text, err := json.Marshal(cfg)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	n := &node{cmd: exec.Command(self), ended: make(chan struct{})}
	n.cmd.Env = append(append(os.Environ(), env...), envNode+"="+string(text))
	n.cmd.Stderr = os.Stderr
	stdin, err := n.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	n.stdin = stdin
	stdout, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	out := bufio.NewReader(stdout)
	line, err := out.ReadString('\n')
	go func() {
		defer close(n.ended)
		_, _ = io.Copy(io.Discard, out)
		_ = n.cmd.Wait() // how it ends is for its own log
	}()
	_, rest, found := strings.Cut(line, "http://")
	if err != nil || !found {
		n.kill()
		return nil, errors.New("a process has not started")
	}
	n.addr, _, _ = strings.Cut(rest, ". ")
	return n, nil
}

// stop lets the process drain, and waits for it.
func (n *node) stop(ctx context.Context) error {
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-n.ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("a process does not stop: %w", ctx.Err())
	}
}

// kill ends the process without a word.
func (n *node) kill() {
	_ = n.cmd.Process.Kill()
	<-n.ended
	_ = n.stdin.Close()
}
