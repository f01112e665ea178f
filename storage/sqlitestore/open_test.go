package sqlitestore_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"

	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/sqlitestore"
)

func TestCheckOfAFreshFile(t *testing.T) {
	t.Parallel()
	require.NoError(t, open(t, nil).Check(t.Context()))
}

func TestInMemory(t *testing.T) {
	t.Parallel()
	one, two := openAt(t, sqlitestore.InMemory, nil), openAt(t, sqlitestore.InMemory, nil)
	require.NoError(t, one.Check(t.Context()))
	begin(t, one, "room")
	begin(t, two, "room")
	_, err := one.Append(t.Context(), message("room", ""))
	require.NoError(t, err)
	requireLog(t, one, "room", 1)
	requireLog(t, two, "room", 0)
}

// TestStrangePaths uses names that mean something in the driver's syntax.
func TestStrangePaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"with space.db", "what?_pragma=x.db", "100%.db", "a#b.db", "ü.db"} {
		path := filepath.Join(t.TempDir(), name)
		begin(t, openAt(t, path, nil), "room")
		_, err := os.Stat(path)
		require.NoError(t, err)
		requireLog(t, openAt(t, path, nil), "room", 0)
	}
}

func TestOpenFails(t *testing.T) {
	t.Parallel()
	_, err := sqlitestore.Open(t.Context(), "", nil)
	require.ErrorContains(t, err, "path")
	_, err = sqlitestore.Open(t.Context(), filepath.Join(t.TempDir(), "no", "such", "folder.db"), nil)
	require.ErrorContains(t, err, "sqlitestore: open ")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = sqlitestore.Open(ctx, filepath.Join(t.TempDir(), "murph.db"), nil)
	require.ErrorIs(t, err, context.Canceled)
}

// TestPlainSQL looks for what was sent with nothing of ours in between.
func TestPlainSQL(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "murph.db")
	s := openAt(t, path, nil)
	begin(t, s, "room")
	p := message("room", "key")
	sent, err := s.Append(t.Context(), p)
	require.NoError(t, err)
	var content, key, mode string
	var seq, created int64
	db := plain(t, path)
	require.NoError(t, db.QueryRow(`SELECT content, client_id, seq, created_at FROM murph_messages WHERE id = ?`, string(p.ID)).
		Scan(&content, &key, &seq, &created))
	require.Equal(t, p.Content, content)
	require.Equal(t, "key", key)
	require.Equal(t, sent.Message.Seq, seq)
	require.Equal(t, sent.Message.CreatedAt.UnixMicro(), created)
	require.NoError(t, db.QueryRow(`PRAGMA journal_mode`).Scan(&mode))
	require.Equal(t, "wal", mode)
}

// TestCheck gives the startup check a database as the driver opens it by itself.
func TestCheck(t *testing.T) {
	t.Parallel()
	db := plain(t, filepath.Join(t.TempDir(), "murph.db"))
	db.SetMaxOpenConns(1)
	s, err := bunstore.New(bun.NewDB(db, sqlitedialect.New()), nil)
	require.NoError(t, err)
	require.ErrorContains(t, s.Check(t.Context()), "call Migrate")
	require.NoError(t, s.Migrate(t.Context()))
	_, err = db.Exec(`PRAGMA synchronous = NORMAL; DROP INDEX murph_messages_rev`)
	require.NoError(t, err)
	err = s.Check(t.Context())
	for _, says := range []string{
		"index murph_messages_rev is missing", "foreign_keys is off", "journal_mode is delete", "synchronous is 1", "PRAGMA synchronous = FULL",
	} {
		require.ErrorContains(t, err, says)
	}
	_, err = db.Exec(`
		PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA journal_mode = WAL;
		CREATE UNIQUE INDEX murph_messages_rev ON murph_messages (consultation_id, rev)`)
	require.NoError(t, err)
	require.NoError(t, s.Check(t.Context()))
}
