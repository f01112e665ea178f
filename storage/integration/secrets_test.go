package integration_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/bunstore"
	"github.com/murph-chat/murph/storage/integration/pgtest"
)

// printed returns every way in which a program could print v by accident.
func printed(v any) string {
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	for _, h := range []slog.Handler{slog.NewJSONHandler(&b, nil), slog.NewTextHandler(&b, nil)} {
		slog.New(h).Info("x", "v", v)
	}
	encoded, _ := json.Marshal(v) // an error prints nothing
	b.Write(encoded)
	return b.String()
}

// TestNothingPrintsThePassword prints the store, its options and its errors, and
// all that the errors wrap, over a connection with a password.
func TestNothingPrintsThePassword(t *testing.T) {
	t.Parallel()
	const password = "canary-password"
	each(t, func(t *testing.T, d driver) {
		u, err := url.Parse(pgtest.Schema(t))
		require.NoError(t, err)
		u.Host, u.User = "127.0.0.1:1", url.UserPassword("postgres", password)
		db := d.open(t, u.String())
		t.Cleanup(func() { _ = db.Close() })
		opts := bunstore.Options{Reader: bun.NewDB(db, pgdialect.New())}
		s, err := bunstore.New(opts.Reader, nil)
		require.NoError(t, err)
		_, failed := s.Append(t.Context(), message(room, patient, ""))
		require.ErrorIs(t, failed, consultation.ErrUnavailable)
		var trouble *consultation.UnavailableError
		require.ErrorAs(t, failed, &trouble)
		for _, v := range []any{s, *s, opts, &opts, failed, trouble, *trouble, errors.Unwrap(trouble), s.Check(t.Context())} {
			require.NotContains(t, printed(v), password, "%T", v)
		}
	})
}
