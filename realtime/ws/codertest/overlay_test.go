package codertest_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/coder/websocket" // what the overlay imports
	"github.com/stretchr/testify/require"

	_ "github.com/murph-chat/murph/realtime/ws" // what is tested
)

const (
	under     = "github.com/murph-chat/murph/realtime/ws"
	now       = `"nhooyr.io/websocket"`
	successor = `"github.com/coder/websocket"`
)

// TestSuiteOverSuccessor runs the tests of ws over the other library.
func TestSuiteOverSuccessor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	original, err := filepath.Abs("../accept.go")
	require.NoError(t, err)
	source, err := os.ReadFile(original)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(source), now), "the library is imported in one place")
	changed := filepath.Join(dir, "accept.go")
	require.NoError(t, os.WriteFile(changed, []byte(strings.Replace(string(source), now, successor, 1)), 0o600))
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o600))

	overlaid := func(args ...string) (string, error) {
		command, rest := args[0], args[1:]
		args = append([]string{command, "-overlay=" + filepath.Join(dir, "overlay.json")}, rest...)
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	deps, err := overlaid("list", "-deps", under)
	require.NoError(t, err, deps)
	require.NotContains(t, deps, "nhooyr.io")
	require.Contains(t, deps, "github.com/coder/websocket")
	out, err := overlaid("test", "-count=1", "-timeout=5m", under)
	require.NoError(t, err, out)
	t.Log(out)
}
