package storagetest_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/storage/memstore"
	"github.com/murph-chat/murph/storage/storagetest"
)

// audited is somebody's own store: one that notes each message that it has stored. A store for another database has all
// methods of its own, and leaves the decisions to Change.Apply, AppendParams.Apply, EditParams.Apply and
// DeleteParams.Apply.
type audited struct {
	*memstore.Store
	audit *slog.Logger
}

func (s audited) Append(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
	out, err := s.Store.Append(ctx, p)
	if err == nil {
		s.audit.Debug("stored", slog.Any("message", out.Message)) // ids and sizes only
	}
	return out, err
}

func testAudited(t *testing.T) {
	storagetest.Run(t, storagetest.Harness{
		New: func(testing.TB) storagetest.Store {
			return audited{memstore.New(), slog.New(slog.DiscardHandler)}
		},
		InTx: func(tb testing.TB, s storagetest.Store, fn func(tx storagetest.Store) error) error {
			own := s.(audited)
			return own.InTx(tb.Context(), func(tx *memstore.Store) error { return fn(audited{tx, own.audit}) })
		},
	})
}

func TestOwnStore(t *testing.T) {
	t.Parallel()
	testAudited(t)
}

// A store of one's own is held to the contract by one call in a test; a failure quotes the sentences that it breaks.
func ExampleRun() {
	test := func(t *testing.T) {
		storagetest.Run(t, storagetest.Harness{
			New: func(testing.TB) storagetest.Store { return audited{memstore.New(), slog.Default()} },
		})
	}
	fmt.Println(test != nil) // go test calls it, as TestOwnStore
	// Output: true
}
