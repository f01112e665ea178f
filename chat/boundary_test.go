package chat_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/murph-chat/murph"

// packages returns the import path and what follows from it for every package that pattern matches.
func goList(t *testing.T, format, pattern string) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-f", format, pattern)
	cmd.Dir = ".."
	out, err := cmd.Output()
	require.NoError(t, err, "go list")
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// Imports point one way: examples → httpadapter → chat → consultation → realtime, and the heavy libraries stay in the
// folders that wrap them.
func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	allowed := map[string][]string{ // what a package and everything under it may import of ours
		"realtime":              {"realtime"},
		"consultation":          {"consultation", "realtime"},
		"chat":                  {"chat", "consultation", "realtime"},
		"httpadapter":           {"httpadapter", "chat", "consultation", "realtime"},
		"storage":               {"storage", "chat", "consultation", "realtime"},
		"storage/bunstore":      {"storage/bunstore", "chat", "consultation", "realtime"},
		"storage/memstore":      {"storage/memstore", "chat", "consultation", "realtime"},
		"storage/storagetest":   {"storage/storagetest", "chat", "consultation", "realtime"},
		"realtime/inmem":        {"realtime"},
		"realtime/pusher":       {"realtime", "realtime/pusher", "realtime/internal/pusherproto"},
		"realtime/ws":           {"realtime", "realtime/ws", "realtime/internal/pusherproto"},
		"realtime/realtimetest": {"realtime", "realtime/realtimetest", "realtime/internal/pusherproto"},
	}
	exact := map[string]bool{"realtime": true, "consultation": true, "chat": true} // domain packages import no implementation
	external := map[string]string{                                                 // where a foreign module may be imported
		"github.com/uptrace/bun":           "storage/bunstore",
		"nhooyr.io/websocket":              "realtime/ws",
		"github.com/pusher/pusher-http-go": "realtime/pusher",
		"golang.org/x/crypto":              "realtime/ws/internal/cluster",
	}
	uuid := map[string]bool{"consultation": true, "chat": true}

	for _, line := range goList(t, `{{.ImportPath}} {{join .Imports " "}}`, "./...") {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], module+"/")
		rule := ""
		for prefix := range allowed {
			if (pkg == prefix || strings.HasPrefix(pkg, prefix+"/")) && len(prefix) > len(rule) {
				rule = prefix
			}
		}
		require.NotEmpty(t, rule, "no rule for the imports of %s", pkg)
		for _, imported := range fields[1:] {
			ours, isOurs := strings.CutPrefix(imported, module+"/")
			switch {
			case isOurs:
				ok := false
				for _, a := range allowed[rule] {
					ok = ok || ours == a || (!exact[a] && strings.HasPrefix(ours, a+"/"))
				}
				require.True(t, ok, "%s must not import %s", pkg, ours)
			case imported == "testing":
				require.True(t, strings.HasSuffix(rule, "test"), "%s must not import testing", pkg)
			case strings.HasPrefix(imported, "github.com/google/uuid"):
				require.True(t, uuid[pkg], "%s must not import uuid", pkg)
			case strings.Contains(strings.Split(imported, "/")[0], "."):
				home := ""
				for m, folder := range external {
					if imported == m || strings.HasPrefix(imported, m+"/") {
						home = folder
					}
				}
				require.NotEmpty(t, home, "%s imports %s, which is no decided dependency", pkg, imported)
				require.True(t, pkg == home || strings.HasPrefix(pkg, home+"/"), "%s must not import %s", pkg, imported)
			}
		}
	}
}

// Whoever embeds the domain and the HTTP layer gets no driver and no transport with it.
func TestDomainIsLight(t *testing.T) {
	t.Parallel()
	for _, dep := range goList(t, `{{join .Deps "\n"}}`, "./httpadapter") {
		switch {
		case !strings.Contains(strings.Split(dep, "/")[0], "."): // the standard library
		case dep == module+"/chat", dep == module+"/consultation", dep == module+"/realtime", dep == module+"/httpadapter":
		case strings.HasPrefix(dep, "github.com/google/uuid"):
		default:
			t.Errorf("httpadapter depends on %s", dep)
		}
	}
}
