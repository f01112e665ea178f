package integration_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// bouncer starts PgBouncer in transaction mode before the database at dsn and
// returns its address. It ends with the test.
func bouncer(t *testing.T, dsn string) string {
	t.Helper()
	program, err := exec.LookPath("pgbouncer")
	if err != nil {
		if slices.Contains(strings.Split(os.Getenv(pgtest.EnvRequire), ","), "pgbouncer") {
			t.Fatal("PgBouncer is required by " + pgtest.EnvRequire)
		}
		t.Skip("there is no pgbouncer in the PATH")
	}
	u, err := url.Parse(dsn)
	require.NoError(t, err)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(free.Addr().String())
	require.NoError(t, err)
	require.NoError(t, free.Close())
	config := filepath.Join(t.TempDir(), "pgbouncer.ini")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, `[databases]
* = host=%s port=%s user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
`, u.Hostname(), u.Port(), port), 0o644))
	args := []string{config}
	if os.Geteuid() == 0 { // it does not run as root
		args = []string{"-u", "nobody", config}
		for dir := filepath.Dir(config); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
			require.NoError(t, os.Chmod(dir, 0o755))
		}
	}
	command := exec.Command(program, args...)
	log, err := command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	up := make(chan bool, 1)
	read := make(chan struct{})
	go func() {
		defer close(read)
		awaitLine(log, "process up", up)
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		<-read
		_ = command.Wait()
	})
	require.True(t, <-up, "pgbouncer has ended")
	u.Host = net.JoinHostPort("127.0.0.1", port)
	return u.String()
}

// TestPgBouncer sends through PgBouncer in transaction mode. Prepared statements
// of pgx's default mode get lost there; every other way of talking to Postgres
// works. The error and the check say what to do.
func TestPgBouncer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		dsn := pgtest.Database(t)
		begin(t, drivers[0].openStore(t, dsn, 1), room)
		through := bouncer(t, dsn)
		s := d.openStore(t, through, maxConns)
		require.NoError(t, s.Check(t.Context()))

		var wg sync.WaitGroup
		var mu sync.Mutex
		var failed []error
		sent := 0
		for range 100 {
			wg.Go(func() {
				_, err := s.Append(t.Context(), message(room, patient, ""))
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					failed = append(failed, err)
					return
				}
				sent++
			})
		}
		wg.Wait()
		page := history(t.Context(), t, drivers[0].openStore(t, dsn, 1), room)
		require.Len(t, page.Messages, sent)
		if d.name != "pgx-cache" {
			require.Empty(t, failed)
			require.NoError(t, s.Check(t.Context()))
			return
		}
		require.NotEmpty(t, failed)
		for _, err := range failed {
			requireTrouble(t, err, "prepared statement lost")
			require.ErrorContains(t, err, "default_query_exec_mode=exec")
		}
		err := s.Check(t.Context())
		require.ErrorContains(t, err, "PgBouncer")
	})
}

// awaitLine reads a log to its end and reports once whether a line holds text.
func awaitLine(log io.Reader, text string, found chan<- bool) {
	seen := false
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if !seen && strings.Contains(lines.Text(), text) {
			seen = true
			found <- true
		}
	}
	if !seen {
		found <- false
	}
}
