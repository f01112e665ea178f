package integration_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/integration/pgtest"
	"github.com/murph-chat/murph/storage/storagetest"
)

// TestStorm races 2,000 sends on 400 keys from 8 connections, each by itself and then each in a transaction of the host's.
// All sends of one key are under way at about the same time.
func TestStorm(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		s := d.openStore(t, pgtest.Schema(t), stormConns)
		t.Run("alone", func(t *testing.T) {
			storm(t, s, "alone", s.Append)
		})
		t.Run("in transactions", func(t *testing.T) {
			storm(t, s, "in-transactions", func(ctx context.Context, p chat.AppendParams) (done chat.Appended, err error) {
				for range maxRuns {
					err = s.inTx(ctx, func(tx storagetest.Store) error {
						done, err = tx.Append(ctx, p)
						return err
					})
					if !errors.Is(err, consultation.ErrRetryTx) || d.name != serializable.name {
						break
					}
				}
				return done, err
			})
		})
	}, serializable)
}

// maxRuns is how often a host begins a transaction again that was given up because of others.
const maxRuns = 1000

const (
	stormConns = 8
	stormKeys  = 400
	stormSends = 5 // of each key
)

func storm(t *testing.T, s *store, id consultation.ID, send func(context.Context, chat.AppendParams) (chat.Appended, error)) {
	t.Helper()
	begin(t, s, id)
	jobs := make(chan chat.AppendParams)
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex
		answers = map[string][]chat.Appended{}
		failed  []error
	)
	for range stormConns {
		wg.Go(func() {
			for p := range jobs {
				done, err := send(t.Context(), p)
				mu.Lock()
				if err != nil {
					failed = append(failed, err)
				} else {
					answers[p.ClientMessageID] = append(answers[p.ClientMessageID], done)
				}
				mu.Unlock()
			}
		})
	}
	for key := range stormKeys {
		for range stormSends {
			jobs <- message(id, patient, fmt.Sprintf("key-%d", key))
		}
	}
	close(jobs)
	wg.Wait()

	require.NoError(t, errors.Join(failed...))
	require.Len(t, answers, stormKeys)
	page := history(t.Context(), t, s, id)
	require.Len(t, page.Messages, stormKeys, "no key is stored twice")
	requireLog(t, page, 3)
	stored := map[string]chat.Message{}
	for _, m := range page.Messages {
		stored[m.ClientMessageID] = m
	}
	for key, list := range answers {
		created := 0
		for _, a := range list {
			require.Equal(t, stored[key], a.Message)
			if !a.Replayed {
				created++
			}
		}
		require.Equal(t, 1, created, "answers for %s that are new", key)
		require.Len(t, list, stormSends)
	}
	var entries int
	require.NoError(t, s.db.QueryRow(`SELECT count(*) FROM murph_outbox WHERE consultation_id = '`+string(id)+`'`).Scan(&entries))
	require.Equal(t, stormKeys, entries)
}

// TestDeadlock lets host transactions send into two consultations in opposite orders: the database ends one of them, and
// its error must say that the host has to start again.
func TestDeadlock(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) {
		s := d.openStore(t, pgtest.Schema(t), 2)
		begin(t, s, "a")
		begin(t, s, "b")
		const rounds = 5
		for range rounds {
			met := make(chan struct{})
			var wg sync.WaitGroup
			var victims [2]error
			for i, order := range [][2]consultation.ID{{"a", "b"}, {"b", "a"}} {
				wg.Go(func() {
					err := sendBoth(t, s, order, func() {
						select { // both have their first lock
						case met <- struct{}{}:
						case <-met:
						}
					})
					victims[i] = err
					for runs := 0; err != nil && runs < maxRuns; runs++ { // the two may get in each other's way again
						if !assert.ErrorIs(t, err, consultation.ErrRetryTx) {
							return
						}
						err = sendBoth(t, s, order, func() {})
					}
				})
			}
			wg.Wait()
			require.Error(t, errors.Join(victims[:]...), "nobody was in the way")
		}
		for _, id := range []consultation.ID{"a", "b"} {
			page := history(t.Context(), t, s, id)
			require.Len(t, page.Messages, 2*rounds)
			requireLog(t, page, 3)
		}
	})
}

// sendBoth sends into two consultations in one transaction and calls between in the middle of it.
func sendBoth(t *testing.T, s *store, order [2]consultation.ID, between func()) error {
	return s.inTx(t.Context(), func(tx storagetest.Store) error {
		if _, err := tx.Append(t.Context(), message(order[0], patient, "")); err != nil {
			return err
		}
		between()
		_, err := tx.Append(t.Context(), message(order[1], patient, ""))
		return err
	})
}
