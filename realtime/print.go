package realtime

import (
	"fmt"
	"io"
	"log/slog"
)

// hidden stands for a capability wherever one is printed.
const hidden = "[hidden]"

// Format writes no part of the grant, whatever the verb. Only encoding/json shows
// it, for the client.
func (Grant) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// LogValue shows no part of the grant.
func (Grant) LogValue() slog.Value { return slog.StringValue(hidden) }

// Format writes no part of the grant, whatever the verb. Only encoding/json shows
// it, for the client.
func (UserGrant) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// LogValue shows no part of the grant.
func (UserGrant) LogValue() slog.Value { return slog.StringValue(hidden) }
