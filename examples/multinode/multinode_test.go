package main

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/examples/internal/crowd"
	"github.com/murph-chat/murph/examples/internal/testenv"
	"github.com/murph-chat/murph/realtime/realtimetest"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

func TestMain(m *testing.M) {
	if child := os.Getenv(envNode); child != "" {
		if err := runNode(child); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

var engines = []string{engineNATS, engineRedis, enginePostgres}

// long says whether the tests are to take their time.
func long() bool { return os.Getenv("MURPH_TORTURE") != "" }

// rig is a fleet with faults: each process has a line to the engine that can be broken.
type rig struct {
	*fleet
	t       *testing.T
	url     string
	lines   []*realtimetest.Proxy
	restart func() // of the engine
}

// assemble starts the engine and the processes, on a database of their own.
func assemble(t *testing.T, engine string, nodes int) *rig {
	t.Helper()
	dir := t.TempDir()
	r := &rig{t: t}
	cfg := settings{nodes: nodes, engine: engine, web: filepath.Join(webDir, "dist")}
	var at string
	switch engine {
	case enginePostgres:
		s := pgtest.Start(t)
		cfg.db, cfg.engineAddr = s.Database(t), s.DSN("postgres")
		u, err := url.Parse(cfg.engineAddr)
		require.NoError(t, err)
		at, r.restart = u.Host, func() { s.Restart(t) }
	case engineRedis:
		if _, err := exec.LookPath("redis-server"); err != nil {
			testenv.Missing(t, "redis", err.Error())
		}
		fallthrough
	default:
		cfg.db = pgtest.Database(t)
		e, err := startEngine(t.Context(), engine, dir)
		require.NoError(t, err)
		t.Cleanup(e.stop)
		at, cfg.engineAddr = e.addr, e.addr
		r.restart = func() {
			e.stop()
			require.NoError(t, e.start())
		}
	}
	for range nodes {
		line, err := realtimetest.ListenProxy(at)
		require.NoError(t, err)
		t.Cleanup(line.Close)
		r.lines = append(r.lines, line)
	}
	r.fleet = &fleet{cfg: cfg, proxy: newProxy(nodes), engineOf: func(i int) string {
		return strings.Replace(cfg.engineAddr, at, r.lines[i].Addr(), 1)
	}}
	require.NoError(t, r.start(t.Context()))
	t.Cleanup(r.stop)
	server := httptest.NewServer(r.proxy)
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// gather opens a crowd of tabs.
func (r *rig) gather(cfg crowd.Config) *crowd.Crowd {
	r.t.Helper()
	cfg.URL = r.url
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	c, err := crowd.Open(ctx, cfg)
	require.NoError(r.t, err)
	r.t.Cleanup(c.Close)
	return c
}

// during lets the crowd write while something happens, and then waits until everybody has everything.
func (r *rig) during(c *crowd.Crowd, name string, happen func()) {
	r.t.Helper()
	writing, stop := context.WithCancel(r.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Write(writing)
	}()
	happen()
	stop()
	<-done
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	took, err := c.Converge(ctx)
	require.NoError(r.t, err, name)
	r.t.Logf("%s: everybody has everything after %s", name, took.Round(time.Millisecond))
}

// clean checks that nothing went wrong that never may.
func (r *rig) clean(c *crowd.Crowd) crowd.Report {
	r.t.Helper()
	report, err := c.Report(r.t.Context())
	require.NoError(r.t, err)
	r.t.Log(report)
	require.NotZero(r.t, report.Acked)
	require.Equal(r.t, report.Written, report.Acked)
	require.Zero(r.t, report.Lost)
	require.Zero(r.t, report.Doubled)
	require.Equal(r.t, report.Acked, report.Stored)
	require.Zero(r.t, report.Echoes, "a sender got their own event")
	require.Zero(r.t, report.Contradictions, "somebody came or went twice")
	return report
}

// TestEngines has 200 tabs on three processes, and the same on one, for each engine.
func TestEngines(t *testing.T) {
	for _, engine := range engines {
		for _, nodes := range []int{3, 1} {
			t.Run(fmt.Sprintf("%s on %d", engine, nodes), func(t *testing.T) {
				r := assemble(t, engine, nodes)
				c := r.gather(crowd.Config{})
				r.during(c, "writing", func() { pause(t.Context(), 2*time.Second) })
				report := r.clean(c)
				require.Equal(t, 200, report.Tabs)
			})
		}
	}
}

// TestFaults breaks what can break, one thing after the other, while people write.
func TestFaults(t *testing.T) {
	tested := []string{engineRedis}
	short := 13 * time.Second // longer than it takes to declare a process dead
	if long() {
		tested, short = engines, 30*time.Second
	}
	for _, engine := range tested {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			r := assemble(t, engine, 3)
			c := r.gather(crowd.Config{Consultations: 10, Tabs: 3, PerSecond: 30})
			r.during(c, "connections to the engine killed", func() {
				for range 5 {
					for _, line := range r.lines {
						line.Kick()
					}
					pause(t.Context(), 300*time.Millisecond)
				}
			})
			r.during(c, "engine restarted", func() {
				r.restart()
				pause(t.Context(), time.Second)
			})
			r.during(c, "process killed", func() {
				r.nodes[1].kill()
				pause(t.Context(), time.Second)
				require.NoError(t, r.begin(1))
				pause(t.Context(), time.Second)
			})
			r.during(c, "process stopped", func() {
				require.NoError(t, r.nodes[2].cmd.Process.Signal(syscall.SIGSTOP))
				pause(t.Context(), short)
				require.NoError(t, r.nodes[2].cmd.Process.Signal(syscall.SIGCONT))
				pause(t.Context(), time.Second)
			})
			r.during(c, "process cut off from the engine", func() {
				r.lines[0].Cut()
				pause(t.Context(), short)
				r.lines[0].Heal()
			})
			if long() {
				r.during(c, "engine silent towards one process", func() {
					r.lines[1].Stall()
					pause(t.Context(), short)
					r.lines[1].Heal()
				})
			}
			r.clean(c)
		})
	}
}

// TestRolling restarts every process while people write.
func TestRolling(t *testing.T) {
	r := assemble(t, engineNATS, 3)
	c := r.gather(crowd.Config{})
	c.Mark()
	r.during(c, "all processes restarted", func() {
		for i := range r.nodes {
			require.NoError(t, r.fleet.restart(t.Context(), i))
			pause(t.Context(), 500*time.Millisecond)
		}
	})
	report := r.clean(c)
	require.GreaterOrEqual(t, report.Reconnects, report.Tabs)
}
