package sqlitestore_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFileBehindALink opens a link to a file that is not there yet, as where a volume is mounted elsewhere.
func TestFileBehindALink(t *testing.T) {
	t.Parallel()
	for name, target := range map[string]string{"absolute": filepath.Join(t.TempDir(), "murph.db"), "relative": "real.db"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "link.db")
		require.NoError(t, os.Symlink(target, path), name)
		s := openAt(t, path, nil)
		begin(t, s, "room")
		info, err := os.Stat(path)
		require.NoError(t, err, name)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
}
