package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// EnvRequire lists what must not be skipped: with "redis" among it a test without a server fails.
const EnvRequire = "MURPH_TEST_REQUIRE"

// Server is a Redis server. Its methods are for one goroutine at a time.
type Server struct {
	program, dir, addr string
	process            *process
}

// attempts is how often a server is started until it finds its port free.
const attempts = 5

// Start starts a server for tb alone, which may do with it what it likes, and stops it when tb ends.
func Start(tb testing.TB) *Server {
	tb.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv(EnvRequire), ","), "redis") {
			tb.Fatalf("redistest: Redis is required by %s: %v", EnvRequire, err)
		}
		tb.Skipf("redistest: there is no Redis for this test: %v", err)
	}
	s := &Server{program: program, dir: tb.TempDir()}
	for try := 1; ; try++ {
		if s.addr, err = freeAddr(); err == nil {
			err = s.launch()
		}
		if err == nil {
			break
		}
		if try == attempts {
			tb.Fatalf("redistest: %v", err)
		}
	}
	tb.Cleanup(func() { s.process.end() })
	return s
}

// Addr returns the address of the server, with its port.
func (s *Server) Addr() string { return s.addr }

// Restart kills the server and starts it again on the same port. It returns when the server takes connections again.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.process.end()
	if err := s.launch(); err != nil {
		tb.Fatalf("redistest: restart: %v", err)
	}
}

// freeAddr finds a port that nobody listens on at this moment.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String(), nil
}

// watch runs the server and kills it when its own input ends: that is, at the latest when the process that started it is
// gone, however it went.
const watch = `
"$@" </dev/null &
server=$!
exec >/dev/null 2>&1
read -r word
kill -KILL "$server"
wait "$server"
`

// process is a running server.
type process struct {
	command *exec.Cmd
	input   io.WriteCloser
	read    chan struct{} // closed when the log has been read to its end
}

// launch runs the server and waits until it takes connections.
func (s *Server) launch() error {
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return err
	}
	command := exec.Command("/bin/sh", "-c", watch, "sh", s.program, "--bind", host, "--port", port, "--dir", s.dir,
		"--save", "", "--appendonly", "no", "--daemonize", "no", "--logfile", "")
	command.Dir = s.dir
	input, err := command.StdinPipe()
	if err != nil {
		return err
	}
	log, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	p := &process{command: command, input: input, read: make(chan struct{})}
	ready := make(chan error, 1)
	go p.follow(log, ready)
	select {
	case err = <-ready:
	case <-time.After(time.Minute):
		err = errors.New("the server is not ready after a minute")
	}
	if err != nil {
		p.end()
		return err
	}
	s.process = p
	return nil
}

// follow reads the server's log, so that the server never waits for it, and reports once whether it has come up.
func (p *process) follow(log io.Reader, ready chan<- error) {
	defer close(p.read)
	var lines []string
	up := false
	for scanner := bufio.NewScanner(log); scanner.Scan(); {
		if up {
			continue
		}
		lines = append(lines, scanner.Text())
		if up = strings.Contains(strings.ToLower(scanner.Text()), "ready to accept connections"); up {
			ready <- nil
		}
	}
	if !up {
		ready <- fmt.Errorf("the server has ended: %s", strings.Join(lines, "\n"))
	}
}

// end kills the server and waits until it is gone.
func (p *process) end() {
	_ = p.input.Close()
	<-p.read
	_ = p.command.Wait() // the server ends by a signal
}
