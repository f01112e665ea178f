package storagetest

import (
	"time"

	"github.com/murph-chat/murph/realtime"
)

func (e *env) claim(limit int, lease time.Duration) []realtime.Entry {
	e.Helper()
	entries, err := e.store.Claim(e.ctx, realtime.ClaimParams{Limit: limit, Lease: lease})
	if err != nil {
		e.Fatalf("Claim: %v", err)
	}
	return entries
}
