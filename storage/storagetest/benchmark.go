package storagetest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// benchmarkSize is the number of messages in the consultation that the reading benchmarks read from.
const benchmarkSize = 10_000

// Benchmark measures the calls that a busy chat makes: Append with a key and an outbox entry, alone and by several
// callers in one and in many consultations; the newest page of a consultation with 10,000 messages and one from its
// middle; a catch-up of ten changes there, and an idle one.
func Benchmark(b *testing.B, h Harness) {
	if h.New == nil {
		b.Fatal("storagetest: Harness.New is required")
	}
	b.Run("Append", func(b *testing.B) {
		s := h.New(b)
		rooms := benchmarkRooms(b, s, 1)
		b.ReportAllocs()
		for n := int64(0); b.Loop(); n++ {
			benchmarkAppend(b, s, rooms[0], n)
		}
	})
	for _, rooms := range []int{1, 64} {
		b.Run(fmt.Sprintf("AppendParallel/%d", rooms), func(b *testing.B) {
			s := h.New(b)
			ids := benchmarkRooms(b, s, rooms)
			var count atomic.Int64
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					n := count.Add(1)
					benchmarkAppend(b, s, ids[n%int64(rooms)], n)
				}
			})
		})
	}
	b.Run("Read", func(b *testing.B) { benchmarkReads(b, h) })
}

func benchmarkReads(b *testing.B, h Harness) {
	s := h.New(b)
	id := benchmarkRooms(b, s, 1)[0]
	benchmarkFill(b, h, s, id)
	const rev = benchmarkSize + 2
	history := func(before int64) func(ctx context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			page, err := s.History(ctx, chat.HistoryParams{
				ConsultationID: id, Viewer: student.UserID, Before: before, Limit: chat.DefaultPageSize,
			})
			return len(page.Messages), err
		}
	}
	changes := func(since int64) func(ctx context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			page, err := s.Changes(ctx, chat.ChangesParams{
				ConsultationID: id, Viewer: student.UserID, Since: since, Limit: chat.DefaultPageSize, MaxBehind: chat.DefaultMaxCatchUp,
			})
			return len(page.Messages), err
		}
	}
	for _, c := range []struct {
		name string
		want int
		read func(ctx context.Context) (int, error)
	}{
		{"History/newest", chat.DefaultPageSize, history(0)},
		{"History/middle", chat.DefaultPageSize, history(benchmarkSize / 2)},
		{"Changes/10", 10, changes(rev - 10)},
		{"Changes/idle", 0, changes(rev)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if n, err := c.read(b.Context()); err != nil || n != c.want {
					b.Fatalf("%d messages, error %v; want %d", n, err, c.want)
				}
			}
		})
	}
}

// benchmarkFill stores the messages, in one transaction where there are any: one by one they would cost as many syncs.
func benchmarkFill(b *testing.B, h Harness, s Store, id consultation.ID) {
	b.Helper()
	fill := func(s Store) error {
		for n := range int64(benchmarkSize) {
			p := chat.AppendParams{ID: benchmarkID(n), ConsultationID: id, SenderID: patient.UserID, Content: benchmarkText}
			if _, err := s.Append(b.Context(), p); err != nil {
				return err
			}
		}
		return nil
	}
	err := error(nil)
	if h.InTx == nil {
		err = fill(s)
	} else {
		err = h.InTx(b, s, fill)
	}
	if err != nil {
		b.Fatal(err)
	}
}

const benchmarkText = "Guten Tag, seit gestern habe ich Schmerzen im unteren Rücken."

func benchmarkRooms(b *testing.B, s Store, n int) []consultation.ID {
	b.Helper()
	ids := make([]consultation.ID, n)
	for i := range ids {
		ids[i] = consultation.ID(fmt.Sprintf("room-%d", i))
		if _, err := s.Create(b.Context(), consultation.CreateParams{ID: ids[i], Topic: "Rücken", Patient: patient}); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Change(b.Context(), consultation.ChangeParams{Change: accept(ids[i], student)}); err != nil {
			b.Fatal(err)
		}
	}
	return ids
}

// benchmarkID has the length of a UUID.
func benchmarkID(n int64) chat.MessageID {
	return chat.MessageID(fmt.Sprintf("00000000-0000-7000-8000-%012d", n))
}

func benchmarkAppend(b *testing.B, s Store, id consultation.ID, n int64) {
	p := chat.AppendParams{
		ID: benchmarkID(n), ConsultationID: id, SenderID: patient.UserID, Content: benchmarkText,
		ClientMessageID: fmt.Sprintf("key-%d", n), Enqueue: &realtime.Enqueue{Lease: forever},
	}
	if _, err := s.Append(b.Context(), p); err != nil {
		b.Error(err)
	}
}
