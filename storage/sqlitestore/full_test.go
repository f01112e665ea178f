package sqlitestore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/sqlitestore"
)

// limit allows the file to grow by so many pages.
func limit(t *testing.T, s *sqlitestore.Store, pages int) {
	t.Helper()
	var count int
	require.NoError(t, s.DB().QueryRow(`PRAGMA page_count`).Scan(&count))
	_, err := s.DB().Exec(fmt.Sprintf(`PRAGMA max_page_count = %d`, count+pages))
	require.NoError(t, err)
}

// TestFullDisk sends until there is no room for another message. The health
// check notices that too, and that there is room again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	begin(t, s, "room")
	require.NoError(t, s.Check(t.Context()))
	limit(t, s, 30)
	sent := 0
	var err error
	for ; err == nil; sent++ {
		p := message("room", "")
		p.Content = strings.Repeat("x", 5000)
		_, err = s.Append(t.Context(), p)
	}
	var trouble *consultation.UnavailableError
	require.ErrorAs(t, err, &trouble)
	require.Equal(t, "disk full", trouble.Reason)

	err = s.Check(t.Context())
	require.ErrorIs(t, err, consultation.ErrUnavailable)
	var degraded interface{ Degraded() bool }
	require.False(t, errors.As(err, &degraded), "nothing can be stored")

	limit(t, s, 1000)
	require.NoError(t, s.Check(t.Context()))
	requireLog(t, s, "room", sent-1)
}

// TestCheckGrowsNothing checks many times.
func TestCheckGrowsNothing(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	begin(t, s, "room")
	size := func() (pages int) {
		require.NoError(t, s.DB().QueryRow(`PRAGMA page_count`).Scan(&pages))
		return pages
	}
	before := size()
	for range 100 {
		require.NoError(t, s.Check(t.Context()))
	}
	require.Equal(t, before, size())
	p := message("room", "")
	done, err := s.Append(t.Context(), p)
	require.NoError(t, err)
	require.EqualValues(t, 1, done.Entry, "the checks use up no id")
}

// TestReadOnlyFile opens a file that the database may not write.
func TestReadOnlyFile(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	begin(t, s, "room")
	_, err := s.DB().Exec(`PRAGMA query_only = 1`)
	require.NoError(t, err)
	_, err = s.Append(t.Context(), message("room", ""))
	require.ErrorIs(t, err, consultation.ErrUnavailable)
	require.ErrorIs(t, s.Check(t.Context()), consultation.ErrUnavailable)
}
