package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/inmem"
	"github.com/murph-chat/murph/realtime/ws"
	"github.com/murph-chat/murph/storage/memstore"
)

// joinCluster is the code of the README for one of several processes. What it returns waits until both parts have ended.
func joinCluster(ctx context.Context, store clusterStore, bus realtime.Bus, secret string) (*ws.Server, func() error) {
	var relay *realtime.Relay
	server := must(ws.New(ws.Config{
		AppID: "1", Key: "app-key", Secret: secret, // the same in every process
		Bus:    bus,                     // of redisbus.New, natsbus.New or pgbus.New
		Resync: chat.ResyncEvent,        // has the browsers fetch what the bus has lost
		OnWake: func() { relay.Wake() }, // looks after what another process has left behind
	}))
	relay = must(realtime.NewRelay(store, server, nil)) // the services get this as their broadcaster
	must(consultation.NewService(store, relay, nil))    // the server asks it every minute who may listen

	ended := make(chan error, 2)
	go func() { ended <- relay.Run(ctx) }()
	go func() { ended <- server.Run(context.WithoutCancel(ctx)) }() // until server.Shutdown is through
	return server, func() error { return errors.Join(<-ended, <-ended) }
}

type clusterStore interface {
	realtime.Outbox
	consultation.Storage
}

func TestTwoProcessesFindEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var hub inmem.BusHub
		store := memstore.New()
		one, oneEnded := joinCluster(ctx, store, hub.Node(), "secret")
		other, otherEnded := joinCluster(ctx, store, hub.Node(), "secret")
		<-time.After(time.Minute) // of the bubble
		require.Equal(t, 1, one.Stats().Nodes)
		require.Equal(t, 1, other.Stats().Nodes)
		stop()
		require.NoError(t, one.Shutdown(t.Context()))
		require.NoError(t, other.Shutdown(t.Context()))
		require.NoError(t, oneEnded())
		require.NoError(t, otherEnded())
	})
}
