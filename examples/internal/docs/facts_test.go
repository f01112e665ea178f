package docs_test

import (
	"go/constant"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// TestReadmeKnowsAllCodesAndEvents wants every code of a refusal and every event in the README, in backquotes.
func TestReadmeKnowsAllCodesAndEvents(t *testing.T) {
	t.Parallel()
	readme := read(t, "README.md")
	all, _ := packages(t)
	adapter, err := compiled(all).Import(module + "/httpadapter")
	require.NoError(t, err)
	codes := 0
	for _, name := range adapter.Scope().Names() {
		if c, ok := adapter.Scope().Lookup(name).(*types.Const); ok && strings.HasPrefix(name, "Code") {
			codes++
			require.Contains(t, readme, "`"+constant.StringVal(c.Val())+"`", name)
		}
	}
	require.Greater(t, codes, 10)
	for _, event := range []string{
		chat.EventNewMessage, chat.EventMessageUpdated, chat.EventMessageDeleted, chat.EventMessagesRead, chat.EventResyncRequired,
		consultation.EventStatusUpdate, consultation.EventConsultationUpdated, "client-typing",
	} {
		require.Contains(t, readme, "`"+event+"`")
	}
}

var (
	environment = regexp.MustCompile(`"((?:NEXT_PUBLIC_)?PUSHER_[A-Z_]+)"`)
	direct      = regexp.MustCompile(`(?m)^(?:require )?\s*(\S+\.\S+/\S+) v\S+$`)
)

// TestReadmeKnowsTheEnvironment wants every variable that the library reads.
func TestReadmeKnowsTheEnvironment(t *testing.T) {
	t.Parallel()
	readme := read(t, "README.md")
	names := environment.FindAllStringSubmatch(read(t, "realtime/pusher/config.go"), -1)
	require.Greater(t, len(names), 5)
	for _, name := range names {
		require.Contains(t, readme, "`"+name[1]+"`")
	}
}

// TestReadmeKnowsTheDependencies wants every direct dependency of the modules that hosts import in the table.
func TestReadmeKnowsTheDependencies(t *testing.T) {
	t.Parallel()
	readme := read(t, "README.md")
	_, table, ok := strings.Cut(readme, "## Dependencies")
	require.True(t, ok)
	table, _, _ = strings.Cut(table, "\n## ")
	for _, dir := range []string{
		"", "storage/sqlitestore", "realtime/redisbus", "realtime/natsbus", "realtime/pgbus", "httpadapter/prommetrics", "httpadapter/oteltrace",
	} {
		file, err := os.ReadFile(filepath.Join(root(), dir, "go.mod"))
		require.NoError(t, err)
		for _, found := range direct.FindAllStringSubmatch(string(file), -1) {
			name := found[1]
			if strings.HasPrefix(name, module) || strings.Contains(table, "`"+name+"`") {
				continue
			}
			// Modules of one project stand together: the first by its name, the others by what differs.
			rest := strings.TrimPrefix(name, "github.com/uptrace/bun")
			require.Contains(t, table, "`…"+rest+"`", "%s of module %q", name, dir)
		}
	}
}
