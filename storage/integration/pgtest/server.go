package pgtest

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Server is a PostgreSQL server. Its methods, but for Restart, are safe for concurrent use.
type Server struct {
	url     url.URL
	db      *sql.DB // for creating and dropping databases
	stopped atomic.Bool

	// The rest is set if this process has started the server.
	bin, dir string
	settings []string
	process  *process
}

// Start starts a server for tb alone, which may do with it what it likes, and stops it when tb ends. Each setting is
// "name=value", as in postgresql.conf. It needs the programs of PostgreSQL, whatever [EnvDSN] says.
func Start(tb testing.TB, settings ...string) *Server {
	tb.Helper()
	s, err := start(settings)
	if err != nil {
		unavailable(tb, err)
	}
	tb.Cleanup(s.stop)
	return s
}

// Restart lets the server crash, as "pg_ctl stop -m immediate" does, and starts it again on the same files and the same
// port. It returns when the server takes connections again.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	if s.process == nil {
		tb.Fatal("pgtest: Restart of a server that this process has not started")
	}
	s.process.end(true)
	p, err := s.launch()
	if err != nil {
		tb.Fatalf("pgtest: restart: %v", err)
	}
	s.process = p
}

func (s *Server) stop() {
	s.stopped.Store(true)
	_ = s.db.Close()
	s.process.end(false)
}

// attempts is how often a server is started until it finds its port free.
const attempts = 5

// start makes the files of a server and launches it.
func start(settings []string) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "murph-postgres-")
	if err != nil {
		return nil, err
	}
	s, err := startIn(bin, dir, settings)
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

func startIn(bin, dir string, settings []string) (*Server, error) {
	attributes, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "--pgdata="+filepath.Join(dir, "data"), "--username=postgres",
		"--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = attributes, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	for try := 1; ; try++ {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		u := &url.URL{
			Scheme: "postgres", User: url.User("postgres"), Host: net.JoinHostPort("127.0.0.1", port),
			Path: "/postgres", RawQuery: "sslmode=disable",
		}
		s := &Server{url: *u, bin: bin, dir: dir, settings: settings}
		p, err := s.launch()
		if err != nil {
			if try < attempts {
				continue
			}
			return nil, err
		}
		connected, err := connect(u)
		if err != nil {
			p.end(false)
			return nil, err
		}
		s.db, s.process = connected.db, p
		return s, nil
	}
}

// freePort finds a port that nobody listens on at this moment.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// programs finds the folder with initdb and postgres: in the PATH, or where packages put it, the newest version first.
func programs() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			return filepath.Dir(path), nil
		}
	}
	var found []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin/initdb", // Debian
		"/usr/pgsql-*/bin/initdb",          // Red Hat
		"/usr/libexec/postgresql*/initdb",  // Alpine
		"/opt/homebrew/opt/postgresql*/bin/initdb",
		"/usr/local/opt/postgresql*/bin/initdb",
		"/usr/local/pgsql/bin/initdb",
	} {
		paths, _ := filepath.Glob(pattern) // the patterns are well-formed
		found = append(found, paths...)
	}
	if len(found) == 0 {
		return "", errors.New("initdb is neither in the PATH nor in the usual places; install PostgreSQL or set " + EnvDSN)
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

// version is the first number in a path.
func version(path string) int {
	start := strings.IndexAny(path, "0123456789")
	if start < 0 {
		return 0
	}
	digits := path[start:]
	if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = digits[:end]
	}
	n, _ := strconv.Atoi(digits) // they are digits
	return n
}

// watch runs the server and ends it, as a crash would, when its own input ends: that is, at the latest when the process
// that started it is gone, however it went. Then it removes the files, unless it was told to keep them. Only the server
// writes to the log, so that the log ends with it.
const watch = `
dir=$1; shift
"$@" </dev/null &
server=$!
exec 2>/dev/null
read -r word
kill -QUIT "$server" 2>/dev/null
wait "$server" 2>/dev/null
[ "$word" = keep ] || rm -rf "$dir"
`

// process is a running server.
type process struct {
	command *exec.Cmd
	input   io.WriteCloser
	read    chan struct{} // closed when the log has been read to its end
}

// launch runs the server and waits until it takes connections.
func (s *Server) launch() (*process, error) {
	attributes, err := unprivileged(s.dir)
	if err != nil {
		return nil, err
	}
	args := []string{
		"-c", watch, "sh", s.dir, filepath.Join(s.bin, "postgres"), "-D", filepath.Join(s.dir, "data"),
		"-c", "listen_addresses=127.0.0.1", "-c", "port=" + s.url.Port(), "-c", "unix_socket_directories=" + s.dir,
		"-c", "max_connections=200", "-c", "deadlock_timeout=100ms", "-c", "shared_buffers=64MB", "-c", "lc_messages=C", "-c", "log_min_messages=log",
	}
	for _, setting := range s.settings {
		args = append(args, "-c", setting)
	}
	command := exec.Command("/bin/sh", args...)
	command.SysProcAttr, command.Dir = attributes, s.dir
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	log, err := command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &process{command: command, input: input, read: make(chan struct{})}
	ready := make(chan error, 1)
	go p.follow(log, ready)
	timeout := time.NewTimer(time.Minute)
	defer timeout.Stop()
	select {
	case err = <-ready:
	case <-timeout.C:
		err = errors.New("the server is not ready after a minute")
	}
	if err != nil {
		p.end(true)
		return nil, err
	}
	return p, nil
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
		if up = strings.Contains(scanner.Text(), "database system is ready to accept connections"); up {
			ready <- nil
		}
	}
	if !up {
		ready <- fmt.Errorf("the server has ended: %s", strings.Join(lines, "\n"))
	}
}

// end lets the server crash and waits until it is gone.
func (p *process) end(keepFiles bool) {
	if keepFiles {
		_, _ = io.WriteString(p.input, "keep\n") // if it is gone already, so are its wishes
	}
	_ = p.input.Close()
	<-p.read
	_ = p.command.Wait() // it ends by a signal
}
