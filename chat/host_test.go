package chat_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAHostGetsNothingHeavy makes a module that uses the domain and the HTTP layer, and looks at what the go command puts
// into its files: a version of somebody else's driver there would raise the host's own.
func TestAHostGetsNothingHeavy(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("go.mod", "module example.org/host\n\ngo 1.25.0\n\nrequire "+module+" v0.0.0\n\nreplace "+module+" => "+root+"\n")
	write("main.go", `package main

import (
	_ "`+module+`/chat"
	_ "`+module+`/httpadapter"
)

func main() {}
`)
	for _, args := range [][]string{{"mod", "tidy"}, {"build", "-o", os.DevNull, "."}} {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "go %v: %s", args, out)
	}
	mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	require.NoError(t, err)
	require.Regexp(t, `(?m)^go 1\.25\.0$`, string(mod))
	require.NotContains(t, string(mod), "toolchain")
	sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	require.NoError(t, err)
	heavy := regexp.MustCompile(`jackc|pgx|mattn|modernc|nats-io|redis|prometheus|opentelemetry|gin-gonic|labstack|kin-openapi|jsonschema`)
	require.NotRegexp(t, heavy, string(mod))
	require.NotRegexp(t, heavy, string(sum))
}
