package pusher

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Format writes what is public, whatever the verb.
func (c Config) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.String()) }

// MarshalJSON shows what is public.
func (c Config) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"app_id": c.AppID, "key": c.Key, "cluster": c.Cluster, "host": c.Host})
}

// Format writes what is public, whatever the verb.
func (b *Broadcaster) Format(s fmt.State, verb rune) { b.cfg.Format(s, verb) }

// LogValue shows what is public.
func (b *Broadcaster) LogValue() slog.Value { return b.cfg.LogValue() }
