package ws

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// Config configures a [Server]. AppID, Key and Secret are required; for the others zero means the default.
type Config struct {
	// AppID names the application towards the HTTP API, in Latin letters, digits, "_" and "-".
	AppID string
	// Key is public and part of the URL that clients connect to, in Latin letters, digits, "_" and "-": clients do not
	// escape it.
	Key string
	// Secret signs. It never leaves the process.
	Secret string

	// AllowedOrigins are the pages, besides those of the request's own host, whose scripts may connect:
	// "https://app.example.org", "https://*.example.org" for every subdomain, with ":port" if it is not the scheme's
	// own, or "*" for any. A request without an Origin header does not come from a page and is let in. The signatures
	// are what protects private channels; the origin keeps other sites from using up connections. Defaults to none.
	AllowedOrigins []string

	// ActivityTimeout is how long a connection may be silent before either side pings, in whole seconds. Proxies in
	// front have to wait longer than this. Defaults to 30 s.
	ActivityTimeout time.Duration
	// PongTimeout is how long the answer to a ping may take before the connection is closed with 4201. Defaults to 10 s.
	PongTimeout time.Duration
	// WriteTimeout is how long one write to a socket may take before the connection is cut. Defaults to 5 s.
	WriteTimeout time.Duration
	// CloseTimeout is how long a client has to answer a close frame before the connection is cut. Defaults to 2 s.
	CloseTimeout time.Duration
	// DrainTime is the longest that Shutdown spreads the closing of connections over; fewer connections than 500 for
	// each second take less. Defaults to 30 s.
	DrainTime time.Duration

	// MaxMessageBytes is the largest message that a client may send; above it the connection is closed with 1009.
	// Defaults to 16 KiB.
	MaxMessageBytes int
	// MaxQueueFrames and MaxQueueBytes bound what waits for one connection; above either it is closed with 4100.
	// Default to 64 and 256 KiB.
	MaxQueueFrames int
	MaxQueueBytes  int
	// MaxQueueMemory bounds what waits for all connections together, in bytes. From 80 % of it new connections are
	// refused with 4100, and above it those that most waits for are closed with 4100. An event that waits for several
	// connections counts once for each, so real memory is less. Defaults to 256 MiB.
	MaxQueueMemory int
	// MaxConnections is how many connections the server holds; more are refused with 4100. Defaults to 50,000.
	MaxConnections int
	// MaxChannels is how many channels one connection may subscribe to; more are refused with
	// pusher:subscription_error. Defaults to 100.
	MaxChannels int

	// MaxRequestBytes is the largest body that the HTTP API reads; above it the call is refused with 413. Defaults to
	// 256 KiB, room for ten events of the largest size.
	MaxRequestBytes int64
	// AllowRepeatedCalls turns the protection against replays off. A signature covers the time in seconds and nothing
	// that is unique, so two equal events that an SDK sends within one second look like a replay, and the second one is
	// refused with 401. Set it where that happens, for instance with events that carry no data.
	AllowRepeatedCalls bool

	// Webhooks are told what happens on the channels. Defaults to none.
	Webhooks []Webhook
	// MaxWebhookQueue is how many events wait for one endpoint; above it the oldest are dropped. Defaults to 10,000.
	MaxWebhookQueue int
	// AllowPrivateWebhooks lets webhooks go to loopback, private and link-local addresses, where a URL that a stranger
	// chose could reach the services inside a network, and the metadata of a cloud. Defaults to false.
	AllowPrivateWebhooks bool

	// Logger gets what no caller can see: slow clients, panics. Ids and sizes only. Defaults to slog.Default().
	Logger *slog.Logger
}

// String shows the application id and the key only.
func (c Config) String() string { return "{app " + c.AppID + " key " + c.Key + " [hidden]}" }

// GoString shows the application id and the key only.
func (c Config) GoString() string { return c.String() }

// LogValue shows the application id and the key only.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("app_id", c.AppID), slog.String("key", c.Key))
}

func (c Config) withDefaults() Config {
	orDuration(&c.ActivityTimeout, 30*time.Second)
	orDuration(&c.PongTimeout, 10*time.Second)
	orDuration(&c.WriteTimeout, 5*time.Second)
	orDuration(&c.CloseTimeout, 2*time.Second)
	orDuration(&c.DrainTime, 30*time.Second)
	orInt(&c.MaxMessageBytes, 16<<10)
	orInt(&c.MaxQueueFrames, 64)
	orInt(&c.MaxQueueBytes, 256<<10)
	orInt(&c.MaxQueueMemory, 256<<20)
	orInt(&c.MaxConnections, 50_000)
	orInt(&c.MaxChannels, 100)
	orInt(&c.MaxWebhookQueue, 10_000)
	if c.MaxRequestBytes == 0 {
		c.MaxRequestBytes = 256 << 10
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func orDuration(d *time.Duration, def time.Duration) {
	if *d == 0 {
		*d = def
	}
}

func orInt(n *int, def int) {
	if *n == 0 {
		*n = def
	}
}

// validate reports all problems of a Config that has its defaults.
func (c Config) validate() error {
	var errs []error
	problem := func(format string, args ...any) { errs = append(errs, fmt.Errorf("ws: "+format, args...)) }
	for _, f := range []struct{ name, value string }{{"AppID", c.AppID}, {"Key", c.Key}} {
		switch {
		case f.value == "":
			problem("Config.%s is required", f.name)
		case !isURLWord(f.value):
			problem("Config.%s has a character outside [A-Za-z0-9_-]", f.name)
		}
	}
	if c.Secret == "" {
		problem("Config.Secret is required")
	}
	if c.ActivityTimeout < time.Second || c.ActivityTimeout%time.Second != 0 {
		problem("Config.ActivityTimeout must be a number of whole seconds")
	}
	for _, d := range []time.Duration{c.PongTimeout, c.WriteTimeout, c.CloseTimeout, c.DrainTime} {
		if d < 0 {
			problem("Config: a time is negative")
		}
	}
	for _, n := range []int{c.MaxMessageBytes, c.MaxQueueFrames, c.MaxQueueBytes, c.MaxQueueMemory, c.MaxConnections, c.MaxChannels} {
		if n < 0 {
			problem("Config: a limit is negative")
		}
	}
	if c.MaxRequestBytes < 0 || c.MaxWebhookQueue < 0 {
		problem("Config: a limit of the HTTP API or the webhooks is negative")
	}
	for i, h := range c.Webhooks {
		if err := h.validate(c.AllowPrivateWebhooks); err != nil {
			problem("Config.Webhooks[%d]: %w", i, err)
		}
	}
	for _, o := range c.AllowedOrigins {
		if _, err := parseOrigin(o); o != "*" && err != nil {
			problem("Config.AllowedOrigins: %q is not like https://host", o)
		}
	}
	return errors.Join(errs...)
}

// isURLWord reports whether s can stand in a path without escaping.
func isURLWord(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	}) < 0
}

// origin is a scheme and a host with its port, lower case.
type origin struct{ scheme, host string }

func parseOrigin(s string) (origin, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
		return origin{}, errors.New("ws: not an origin")
	}
	return origin{strings.ToLower(u.Scheme), strings.ToLower(u.Host)}, nil
}

// allowsOrigin decides about the Origin header of a request to host.
func (c Config) allowsOrigin(header, host string) bool {
	if header == "" {
		return true
	}
	from, err := parseOrigin(header) // "null", which sandboxed pages send, is none
	if err == nil && strings.EqualFold(from.host, host) {
		return true
	}
	for _, pattern := range c.AllowedOrigins {
		if pattern == "*" {
			return true
		}
		allowed, _ := parseOrigin(pattern)
		if err != nil || from.scheme != allowed.scheme {
			continue
		}
		domain, sub := strings.CutPrefix(allowed.host, "*")
		if from.host == allowed.host || sub && strings.HasPrefix(domain, ".") && strings.HasSuffix(from.host, domain) {
			return true
		}
	}
	return false
}

func (c Config) credentials() pusherproto.Credentials {
	return pusherproto.Credentials{Key: c.Key, Secret: c.Secret}
}
