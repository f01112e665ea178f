package integration_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// clients is where the modules of each engine's client are.
var clients = map[string]string{
	"redisbus": "github.com/redis/",
	"natsbus":  "github.com/nats-io/",
	"pgbus":    "github.com/jackc/",
}

// strangers are modules that a bus has no use for: those of the rest of the library, and what only our tests need.
var strangers = []string{
	"github.com/nats-io/nats-server", "github.com/uptrace/", "github.com/pusher/", "nhooyr.io/", "modernc.org/", "mellium.im/",
}

// A host that uses one engine gets the client of that engine into its go.sum, and none of another.
func TestHostGetsOneClient(t *testing.T) {
	t.Parallel()
	for bus, client := range clients {
		t.Run(bus, func(t *testing.T) {
			t.Parallel()
			sums := tidyHost(t, bus)
			for other, prefix := range clients {
				require.Equal(t, other == bus, has(sums, prefix), "%s in go.sum of a host with %s:\n%s", prefix, client, strings.Join(sums, "\n"))
			}
			for _, prefix := range strangers {
				require.False(t, has(sums, prefix), "%s in go.sum:\n%s", prefix, strings.Join(sums, "\n"))
			}
		})
	}
}

func has(sums []string, prefix string) bool {
	return slices.ContainsFunc(sums, func(line string) bool { return strings.HasPrefix(line, prefix) })
}

// tidyHost makes a module that imports one bus, as it is in this checkout, and returns the lines of its go.sum.
func tidyHost(t *testing.T, bus string) []string {
	t.Helper()
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, format string, args ...any) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), fmt.Appendf(nil, format, args...), 0o600))
	}
	write("go.mod", `module example.org/host

go 1.25.0

require github.com/murph-chat/murph/realtime/%[1]s v0.0.0

replace (
	github.com/murph-chat/murph => %[2]s
	github.com/murph-chat/murph/realtime/%[1]s => %[2]s/realtime/%[1]s
)
`, bus, filepath.ToSlash(root))
	write("main.go", `package main

import "github.com/murph-chat/murph/realtime/%[1]s"

func main() {
	_, err := %[1]s.New(nil, nil)
	println(err.Error())
}
`, bus)
	// First with what has been downloaded already, so that the test needs no network where the bus was built before.
	out, err := goTool(t, dir, []string{"GOPROXY=off"}, "mod", "tidy")
	if err != nil {
		t.Logf("go mod tidy without a network: %s", out)
		out, err = goTool(t, dir, nil, "mod", "tidy")
	}
	require.NoError(t, err, "%s", out)
	out, err = goTool(t, dir, []string{"GOPROXY=off"}, "vet", ".") // it builds with that go.sum
	require.NoError(t, err, "%s", out)
	sums, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(sums)), "\n")
}

func goTool(t *testing.T, dir string, env []string, args ...string) ([]byte, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = dir
	// What the modules are is not the question here, so no checksum database is asked.
	cmd.Env = append(os.Environ(), append([]string{"GOWORK=off", "GOFLAGS=", "GOSUMDB=off", "GOTOOLCHAIN=local"}, env...)...)
	return cmd.CombinedOutput()
}
