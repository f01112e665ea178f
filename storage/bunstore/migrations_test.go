package bunstore_test

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/storage/bunstore"
)

// TestMigrations checks what tools and Migrate rely on: numbers without gaps, the same steps for both databases, each with
// a way back, each writing its own number, and statements that end at the end of a line.
func TestMigrations(t *testing.T) {
	t.Parallel()
	all := bunstore.Migrations()
	names := map[string][]string{}
	for _, folder := range []string{"postgres", "sqlite"} {
		ups, err := fs.Glob(all, folder+"/*.up.sql")
		require.NoError(t, err)
		require.NotEmpty(t, ups)
		for i, name := range ups {
			base := path.Base(name)
			names[folder] = append(names[folder], base)
			require.True(t, strings.HasPrefix(base, fmt.Sprintf("%04d_", i+1)), base)
			body, err := fs.ReadFile(all, name)
			require.NoError(t, err)
			require.Contains(t, string(body), fmt.Sprintf("INSERT INTO murph_schema (version) VALUES (%d);\n", i+1))
			for line := range strings.Lines(string(body)) {
				if !strings.HasPrefix(line, "--") {
					require.NotContains(t, strings.TrimSuffix(strings.TrimSpace(line), ";"), ";", name)
				}
			}
			_, err = fs.Stat(all, strings.TrimSuffix(name, ".up.sql")+".down.sql")
			require.NoError(t, err)
		}
	}
	require.Equal(t, names["postgres"], names["sqlite"])
}
