package ws_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/realtime/ws"
)

// TestDefaults has the numbers that the comments of Config promise. What is not among them defaults to nothing.
func TestDefaults(t *testing.T) {
	t.Parallel()
	want := map[string]any{
		"ActivityTimeout":       30 * time.Second,
		"PongTimeout":           10 * time.Second,
		"WriteTimeout":          5 * time.Second,
		"CloseTimeout":          2 * time.Second,
		"DrainTime":             30 * time.Second,
		"MaxMessageBytes":       16 << 10,
		"MaxQueueFrames":        64,
		"MaxQueueBytes":         256 << 10,
		"MaxQueueMemory":        256 << 20,
		"MaxConnections":        50_000,
		"MaxChannels":           100,
		"MaxUserConnections":    20,
		"MaxAddressConnections": 100,
		"AddressConnectRate":    ws.Rate{PerSecond: 10, Burst: 20},
		"ConnectRate":           ws.Rate{PerSecond: 500, Burst: 500},
		"MessageRate":           ws.Rate{PerSecond: 30, Burst: 250},
		"PingRate":              ws.Rate{PerSecond: 5, Burst: 20},
		"SubscribeRate":         ws.Rate{PerSecond: 20, Burst: 60},
		"HandshakeTimeout":      5 * time.Second,
		"MaxSessionAge":         24 * time.Hour,
		"GrantTTL":              10 * time.Minute,
		"MaxClientEventBytes":   2 << 10,
		"ClientEventRate":       ws.Rate{PerSecond: 10, Burst: 20},
		"MaxMembers":            100,
		"MaxMemberInfo":         1 << 10,
		"CacheTTL":              30 * time.Minute,
		"MaxCachedEvents":       10_000,
		"AuthorizeInterval":     time.Minute,
		"MaxRequestBytes":       int64(1 << 20),
		"MaxWebhookQueue":       10_000,
	}
	got := reflect.ValueOf(ws.Defaults())
	for _, field := range reflect.VisibleFields(got.Type()) {
		if !field.IsExported() {
			continue
		}
		value := got.FieldByIndex(field.Index).Interface()
		if number, ok := want[field.Name]; ok {
			require.Equal(t, number, value, field.Name)
		} else {
			require.Zero(t, value, field.Name)
		}
		delete(want, field.Name)
	}
	require.Empty(t, want, "no such fields")
}
