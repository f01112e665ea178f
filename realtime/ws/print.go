package ws

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
)

// String shows the application id and the key only.
func (c Config) String() string { return "{app " + c.AppID + " key " + c.Key + " [hidden]}" }

// Format writes the application id and the key only, whatever the verb.
func (c Config) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, c.String()) }

// LogValue shows the application id and the key only.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("app_id", c.AppID), slog.String("key", c.Key))
}

// MarshalJSON shows the application id and the key only.
func (c Config) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"app_id": c.AppID, "key": c.Key})
}

// Format writes the application id and the key only, whatever the verb.
func (s *Server) Format(f fmt.State, verb rune) { s.cfg.Format(f, verb) }

// LogValue shows the application id and the key only.
func (s *Server) LogValue() slog.Value { return s.cfg.LogValue() }

// Format writes the host of the URL only, because the rest can hold a password.
func (h Webhook) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "{"+h.host()+" [hidden]}") }

// LogValue shows the host of the URL only.
func (h Webhook) LogValue() slog.Value { return slog.GroupValue(slog.String("host", h.host())) }

// MarshalJSON shows the host of the URL and the kinds of events only.
func (h Webhook) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"host": h.host(), "events": h.Events})
}

func (h Webhook) host() string {
	if u, err := url.Parse(h.URL); err == nil {
		return u.Host
	}
	return ""
}
