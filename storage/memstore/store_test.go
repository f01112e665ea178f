package memstore_test

import (
	"testing"

	"github.com/murph-chat/murph/storage/memstore"
	"github.com/murph-chat/murph/storage/storagetest"
)

func harness() storagetest.Harness {
	return storagetest.Harness{
		New: func(testing.TB) storagetest.Store { return memstore.New() },
		InTx: func(tb testing.TB, s storagetest.Store, fn func(tx storagetest.Store) error) error {
			return s.(*memstore.Store).InTx(tb.Context(), func(tx *memstore.Store) error { return fn(tx) })
		},
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, harness())
}

func BenchmarkStore(b *testing.B) { storagetest.Benchmark(b, harness()) }
