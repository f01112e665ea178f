package inmem_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
)

const room realtime.Channel = "private-consultation-1"

func event(n int) realtime.Event {
	return realtime.Event{Channel: room, Name: "new-message", Data: json.RawMessage(fmt.Sprint(n))}
}

// numbers are the payloads of events made by event.
func numbers(t *testing.T, events []realtime.Event) []int {
	t.Helper()
	ns := []int{}
	for _, ev := range events {
		var n int
		require.NoError(t, json.Unmarshal(ev.Data, &n))
		ns = append(ns, n)
	}
	return ns
}

func send(t *testing.T, b *inmem.Broadcaster, ns ...int) {
	t.Helper()
	for _, n := range ns {
		require.NoError(t, b.Broadcast(t.Context(), event(n)))
	}
}

func Example() {
	var b inmem.Broadcaster
	patient := b.Subscribe("private-consultation-1", "7.1")
	student := b.Subscribe("private-consultation-1", "7.2")

	err := b.Broadcast(context.Background(), realtime.Event{
		Channel: "private-consultation-1", Name: "new-message", Data: []byte(`{"content":"Hello"}`),
		Except: "7.2", // the student wrote it, and has it already
	})
	fmt.Println(err, len(patient.Events()), len(student.Events()))
	fmt.Printf("%s\n", patient.Events()[0].Data)
	// Output:
	// <nil> 1 0
	// {"content":"Hello"}
}

func TestEventsRecordsWhatWasTaken(t *testing.T) {
	t.Parallel()
	var b inmem.Broadcaster
	send(t, &b, 1)
	require.Error(t, b.Broadcast(t.Context(), realtime.Event{Channel: room}))
	send(t, &b, 2)
	require.Equal(t, []int{1, 2}, numbers(t, b.Events()))
}

func TestBroadcastKeepsNoBuffersOfTheCaller(t *testing.T) {
	t.Parallel()
	var b inmem.Broadcaster
	sub := b.Subscribe(room, "")
	ev := event(1)
	require.NoError(t, b.Broadcast(t.Context(), ev))
	ev.Data[0] = '9'
	require.Equal(t, []int{1}, numbers(t, sub.Events()))
}

func TestClosedSubscriptionKeepsWhatItHas(t *testing.T) {
	t.Parallel()
	var b inmem.Broadcaster
	first, second := b.Subscribe(room, ""), b.Subscribe(room, "")
	send(t, &b, 1)
	first.Close()
	first.Close()
	send(t, &b, 2)
	require.Equal(t, []int{1}, numbers(t, first.Events()))
	require.Equal(t, []int{1, 2}, numbers(t, second.Events()))
}

func TestFailWith(t *testing.T) {
	t.Parallel()
	var b inmem.Broadcaster
	sub := b.Subscribe(room, "")
	down := errors.New("the transport is down")
	b.FailWith(func(ev realtime.Event) error {
		if string(ev.Data) == "1" {
			return down
		}
		return nil
	})
	require.ErrorIs(t, b.Broadcast(t.Context(), event(1)), down)
	send(t, &b, 2)
	b.FailWith(nil)
	send(t, &b, 1)
	require.Equal(t, []int{2, 1}, numbers(t, sub.Events()))
	require.Equal(t, []int{2, 1}, numbers(t, b.Events()))
}

func TestDropAndDuplicate(t *testing.T) {
	t.Parallel()
	var b inmem.Broadcaster
	sub := b.Subscribe(room, "")
	b.Inject(func(ev realtime.Event) inmem.Fault {
		return inmem.Fault{Drop: string(ev.Data) == "1", Duplicate: string(ev.Data) == "2"}
	})
	send(t, &b, 1, 2, 3)
	require.Equal(t, []int{2, 2, 3}, numbers(t, sub.Events()))
	require.Equal(t, []int{1, 2, 3}, numbers(t, b.Events()))
}

func TestHoldAndRelease(t *testing.T) {
	t.Parallel()
	var b inmem.Broadcaster
	sub := b.Subscribe(room, "")
	b.Inject(func(realtime.Event) inmem.Fault { return inmem.Fault{Hold: true} })
	send(t, &b, 0, 1, 2, 3)
	require.Empty(t, sub.Events())
	require.Equal(t, []int{0, 1, 2, 3}, numbers(t, b.Held()))

	b.Release(2, 0, 2, 9, -1)
	require.Equal(t, []int{2, 0}, numbers(t, sub.Events()))
	require.Equal(t, []int{1, 3}, numbers(t, b.Held()))

	late := b.Subscribe(room, "")
	b.Inject(nil)
	send(t, &b, 4) // overtakes
	b.Release()
	b.Release()
	require.Equal(t, []int{2, 0, 4, 1, 3}, numbers(t, sub.Events()))
	require.Equal(t, []int{4, 1, 3}, numbers(t, late.Events()))
	require.Empty(t, b.Held())
}

func TestHangEndsWithTheContext(t *testing.T) {
	t.Parallel()
	var b inmem.Broadcaster
	ctx, cancel := context.WithCancel(t.Context())
	b.Inject(func(realtime.Event) inmem.Fault { cancel(); return inmem.Fault{Hang: true} })
	require.ErrorIs(t, b.Broadcast(ctx, event(1)), context.Canceled)
	require.Empty(t, b.Events())
}

func TestFaultMayPanic(t *testing.T) {
	t.Parallel()
	var b inmem.Broadcaster
	b.Inject(func(realtime.Event) inmem.Fault { panic("the transport has a bug") })
	require.Panics(t, func() { _ = b.Broadcast(t.Context(), event(1)) })
	b.Inject(nil)
	send(t, &b, 2) // no lock was left held
}

func TestWait(t *testing.T) {
	t.Parallel()
	var b inmem.Broadcaster
	sub := b.Subscribe(room, "")
	go func() {
		for n := range 3 {
			_ = b.Broadcast(t.Context(), event(n))
		}
	}()
	events, err := sub.Wait(t.Context(), 3)
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2}, numbers(t, events))
	events, err = b.Wait(t.Context(), 2)
	require.NoError(t, err)
	require.Len(t, events, 3)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	events, err = b.Wait(ctx, 4)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, events, 3)
}
