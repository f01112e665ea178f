package sqlitestore_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/storage/sqlitestore"
)

// TestFilesBelongToTheirOwner looks at the files while they are in use. A file
// that was there before keeps its mode.
func TestFilesBelongToTheirOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openAt(t, filepath.Join(dir, "murph.db"), nil)
	begin(t, s, "room")
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 3, "with -wal and -shm")
	for _, f := range files {
		info, err := f.Info()
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f.Name())
	}

	shared := filepath.Join(t.TempDir(), "shared.db")
	require.NoError(t, os.WriteFile(shared, nil, 0o600))
	require.NoError(t, os.Chmod(shared, 0o640))
	openAt(t, shared, nil)
	info, err := os.Stat(shared)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode().Perm())
}

// TestDeletedTextIsOverwritten deletes a message that fills several pages and
// looks for its text in the file.
func TestDeletedTextIsOverwritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "murph.db")
	s := openAt(t, path, nil)
	begin(t, s, "room")
	p := message("room", "")
	p.Content = strings.Repeat("Geheimnis ", 2000)
	_, err := s.Append(t.Context(), p)
	require.NoError(t, err)
	holds := func() bool {
		_, err := s.DB().Exec(`PRAGMA wal_checkpoint(TRUNCATE)`)
		require.NoError(t, err)
		file, err := os.ReadFile(path)
		require.NoError(t, err)
		return bytes.Contains(file, []byte("Geheimnis"))
	}
	require.True(t, holds())
	_, err = s.Delete(t.Context(), chat.DeleteParams{ID: p.ID, By: patient.UserID, Window: -1})
	require.NoError(t, err)
	require.False(t, holds())
}

// TestAddressInsteadOfPath gives Open what other libraries take. The error says
// what is wrong and shows no password.
func TestAddressInsteadOfPath(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"postgres://murph:secret@db.example/murph?sslmode=require", "mysql://root:secret@tcp(db)/x", "libsql://db.example?authToken=secret",
		"file:murph.db?_pragma=key(secret)", "FILE:secret.db", "sqlite:secret.db", ":memory:?cache=secret", "host=db user=murph password=secret",
	} {
		_, err := sqlitestore.Open(t.Context(), address, nil)
		require.ErrorContains(t, err, "is an address and not the path of a file", address)
		require.NotContains(t, err.Error(), "secret")
	}
}

// TestErrorsNameThePath opens what cannot be opened.
func TestErrorsNameThePath(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "no", "such", "folder.db")
	_, err := sqlitestore.Open(t.Context(), missing, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, missing)
	folder := t.TempDir()
	_, err = sqlitestore.Open(t.Context(), folder, nil)
	require.ErrorContains(t, err, folder)
	require.ErrorContains(t, err, "is a directory")
	text := filepath.Join(t.TempDir(), "text.db")
	require.NoError(t, os.WriteFile(text, []byte("this is not a database, whatever its name says, and long enough"), 0o600))
	_, err = sqlitestore.Open(t.Context(), text, nil)
	require.ErrorContains(t, err, text)
	require.ErrorContains(t, err, "not a database")
	require.Equal(t, 1, strings.Count(err.Error(), "sqlitestore:"))
}
