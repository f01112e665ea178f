package main

import (
	"testing"

	"github.com/murph-chat/murph/examples/internal/testenv"
)

// TestOfficialClients runs the official clients for JavaScript. Each script starts servers of its own.
func TestOfficialClients(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"channels.mjs", "api.mjs", "close-codes.mjs", "echo.mjs"} {
		t.Run(script, func(t *testing.T) {
			t.Parallel()
			testenv.RunNode(t, "clients", script, "", "PUSHERSERVER="+binary)
		})
	}
}
