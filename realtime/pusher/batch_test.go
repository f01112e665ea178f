package pusher_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/pusher"
	"github.com/murph-chat/murph/storage/memstore"
)

// callTime is the latency of one call in these tests.
const callTime = 350 * time.Millisecond

// roundTrip is an http.RoundTripper made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer makes a response with an empty JSON object as its body.
func answer(r *http.Request, status int) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: r}
}

// slow answers every call with 200 after callTime, unless the call's context ends first.
func slow(r *http.Request) (*http.Response, error) {
	select {
	case <-time.After(callTime):
		return answer(r, http.StatusOK), nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// throughput hands off n messages of as many consultations and returns the number that is acknowledged per second of
// virtual time.
func throughput(t *testing.T, privacy pusher.Privacy, n int) (perSecond float64) {
	synctest.Test(t, func(t *testing.T) {
		quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
		to, err := pusher.New(pusher.Config{
			AppID: appID, Key: key, Secret: secret, Cluster: "eu", Logger: quiet, Transport: roundTrip(slow),
			Privacy: privacy, EncryptionKey: bytes.Repeat([]byte{7}, pusher.EncryptionKeyLength),
		})
		require.NoError(t, err)
		store := memstore.New()
		relay, err := realtime.NewRelay(store, to, &realtime.RelayOptions{Logger: quiet})
		require.NoError(t, err)
		student := consultation.Participant{UserID: "s", Role: consultation.RoleStudent}
		for i := range n {
			id := consultation.ID(fmt.Sprint("c", i))
			patient := consultation.Participant{UserID: consultation.UserID(fmt.Sprint("p", i)), Role: consultation.RolePatient}
			_, err := store.Create(t.Context(), consultation.CreateParams{ID: id, Topic: "x", Patient: patient})
			require.NoError(t, err)
			_, err = store.Change(t.Context(), consultation.ChangeParams{Change: consultation.Change{
				ID: id, By: consultation.Host(), To: consultation.StatusInProgress, Student: &student,
			}})
			require.NoError(t, err)
			sent, err := store.Append(t.Context(), chat.AppendParams{
				ID: chat.MessageID(fmt.Sprint("m", i)), ConsultationID: id, SenderID: patient.UserID, Content: "x",
				Enqueue: &realtime.Enqueue{Lease: relay.Lease()},
			})
			require.NoError(t, err)
			ev, err := chat.MessageEvent(chat.EventNewMessage, sent.Message, sent.Audience, "")
			require.NoError(t, err)
			relay.HandOff(sent.Entry, ev)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		begin := time.Now()
		go func() { done <- relay.Run(ctx) }()
		var left int64
		for time.Since(begin) < 3*time.Second {
			<-time.After(10 * time.Millisecond)
			backlog, err := store.Backlog(t.Context())
			require.NoError(t, err)
			if left = backlog.Pending; left == 0 {
				break
			}
		}
		perSecond = float64(int64(n)-left) / time.Since(begin).Seconds()
		cancel()
		require.NoError(t, <-done)
	})
	return perSecond
}

func TestEncryptedEventsPerSecond(t *testing.T) {
	t.Parallel()
	const n = 480
	full, encrypted := throughput(t, pusher.PrivacyFull, n), throughput(t, pusher.PrivacyEncrypted, n)
	t.Logf("%v a call: %.0f plain events per second, %.0f encrypted ones", callTime, full, encrypted)
	require.GreaterOrEqual(t, encrypted, full/realtime.MaxBatch)
}

// encrypted makes a Broadcaster with PrivacyEncrypted over the transport.
func encrypted(t *testing.T, transport http.RoundTripper) *pusher.Broadcaster {
	t.Helper()
	b, err := pusher.New(pusher.Config{
		AppID: appID, Key: key, Secret: secret, Cluster: "eu", Transport: transport,
		Privacy: pusher.PrivacyEncrypted, EncryptionKey: bytes.Repeat([]byte{7}, pusher.EncryptionKeyLength),
		FixedChannel: fixed, // the key depends on the audience
	})
	require.NoError(t, err)
	return b
}

// onChannels makes one event for each number, on the channel of that number.
func onChannels(numbers ...int) []realtime.Event {
	evs := make([]realtime.Event, 0, len(numbers))
	for _, n := range numbers {
		ev := event()
		ev.Channel, ev.Audience = realtime.Channel(fmt.Sprintf("private-consultation-%d", n)), fmt.Sprintf("p%d s", n)
		evs = append(evs, ev)
	}
	return evs
}

func TestEncryptedBatchHasAnErrorForEachEvent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := encrypted(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			switch {
			case bytes.Contains(body, []byte("consultation-2\"")): // late
				<-r.Context().Done()
				return nil, r.Context().Err()
			case bytes.Contains(body, []byte("consultation-3\"")):
				return answer(r, http.StatusTooManyRequests), nil
			case bytes.Contains(body, []byte("consultation-4\"")):
				panic("secret text")
			}
			return slow(r)
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		errs := b.BroadcastBatch(ctx, onChannels(0, 1, 2, 0, 3, 0, 4))
		require.Equal(t, []error{nil, nil, nil, nil}, []error{errs[0], errs[1], errs[3], errs[5]})
		require.ErrorIs(t, errs[2], context.DeadlineExceeded)
		var limited *realtime.RateLimitError
		require.ErrorAs(t, errs[4], &limited)
		require.ErrorContains(t, errs[6], "panicked")
		require.NotContains(t, errs[6].Error(), "secret text")
	})
}

func TestEncryptedBatchKeepsTheOrderWhenTheAudienceChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var sizes []int
		b := encrypted(t, roundTrip(func(r *http.Request) (*http.Response, error) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			resp, err := slow(r)
			mu.Lock()
			defer mu.Unlock()
			sizes = append(sizes, bytes.Count(body, []byte(`"channel":`)))
			return resp, err
		}))
		evs := onChannels(0, 0, 0, 0, 0, 0)
		evs[3].Audience, evs[4].Audience = "p0 other", "p0 other"
		begin := time.Now()
		require.Equal(t, make([]error, 6), b.BroadcastBatch(t.Context(), evs))
		require.Equal(t, []int{3, 2, 1}, sizes, "one call for each key, one after the other")
		require.Equal(t, 3*callTime, time.Since(begin))
	})
}
