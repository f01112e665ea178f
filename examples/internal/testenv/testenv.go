// Package testenv tells the tests of the examples what this machine can do. A test that needs more skips with its reason,
// and fails instead where MURPH_TEST_REQUIRE names what it needs.
package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Missing skips the test because need is not there, or fails it if MURPH_TEST_REQUIRE has need in its list.
func Missing(t *testing.T, need, reason string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("MURPH_TEST_REQUIRE"), ","), need) {
		t.Fatalf("%s is required: %s", need, reason)
	}
	t.Skipf("needs %s: %s", need, reason)
}

// Node returns the node program, and checks that the packages of the page, or of the clients, in dir are installed.
func Node(t *testing.T, dir string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		Missing(t, "node", err.Error())
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		Missing(t, "node", "the packages are not installed, run npm ci in "+dir)
	}
	return node
}

// Browser returns the path of Chromium, and checks that the page in dir is built.
func Browser(t *testing.T, dir string) string {
	t.Helper()
	browser := os.Getenv("CHROMIUM")
	if browser == "" {
		found, err := exec.LookPath("chromium")
		if err != nil {
			Missing(t, "browser", err.Error())
		}
		browser = found
	}
	if _, err := os.Stat(filepath.Join(dir, "dist", "index.html")); err != nil {
		Missing(t, "browser", "the page is not built, run make web")
	}
	return browser
}

// RunNode runs a script out of dir/e2e against the server at url and fails the test if it fails. A script that uses
// node:test ends with its tests, whatever timers a client library has left behind.
func RunNode(t *testing.T, dir, script, url string, env ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), Node(t, dir), "--test-force-exit", filepath.Join("e2e", script))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), append(env, "MURPH_URL="+url)...)
	out, err := cmd.CombinedOutput()
	t.Logf("%s:\n%s", script, out)
	if err != nil {
		t.Errorf("%s: %v", script, err)
	}
}
