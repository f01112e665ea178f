package chat_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAHostGetsNothingHeavy makes modules of hosts, and looks at what the go command puts into their files: a version of
// somebody else's driver there would raise the host's own.
func TestAHostGetsNothingHeavy(t *testing.T) {
	t.Parallel()
	for name, packages := range map[string][]string{
		"the domain": {"chat"},
		"the HTTP layer and its own WebSocket server": {"chat", "httpadapter", "realtime/ws"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mod, sum := filesOfHost(t, packages)
			require.Regexp(t, `(?m)^go 1\.25\.0$`, mod)
			require.NotContains(t, mod, "toolchain")
			heavy := regexp.MustCompile(`jackc|pgx|mattn|modernc|sqlite3|nats-io|redis|prometheus|opentelemetry|gin-gonic|labstack|kin-openapi|jsonschema`)
			require.NotRegexp(t, heavy, mod)
			require.NotRegexp(t, heavy, sum)
		})
	}
}

// filesOfHost returns the go.mod and the go.sum of a module that imports packages of this one.
func filesOfHost(t *testing.T, packages []string) (mod, sum string) {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("go.mod", "module example.org/host\n\ngo 1.25.0\n\nrequire "+module+" v0.0.0\n\nreplace "+module+" => "+root+"\n")
	source := "package main\n\nimport (\n"
	for _, p := range packages {
		source += "\t_ \"" + module + "/" + p + "\"\n"
	}
	write("main.go", source+")\n\nfunc main() {}\n")
	for _, args := range [][]string{{"mod", "tidy"}, {"build", "-o", os.DevNull, "."}} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "go %v: %s", args, out)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return string(b)
	}
	return read("go.mod"), read("go.sum")
}
