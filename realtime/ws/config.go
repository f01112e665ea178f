package ws

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// Config configures a [Server]. AppID, Key and Secret are required, and white space around them does not count; for the
// others zero means the default.
type Config struct {
	// AppID names the application towards the HTTP API, in Latin letters, digits, "_" and "-".
	AppID string
	// Key is public and part of the URL that clients connect to, in Latin letters, digits, "_" and "-": clients do not
	// escape it.
	Key string
	// Secret signs. It never leaves the process.
	Secret string

	// AllowedOrigins are the origins of pages whose scripts may connect:
	// "https://app.example.org", "https://*.example.org" for every subdomain, with
	// ":port" if it is not the scheme's own, or "*" for any. Pages of the host in the
	// request's Host header may always connect, so a proxy in front must pass that
	// header on, or the pages' own origin must be listed. A request without an Origin
	// header does not come from a page and is let in. Signatures protect private
	// channels; origins keep other sites from using up connections. Defaults to none.
	AllowedOrigins []string
	// RequireOrigin refuses requests without an Origin header too, which leaves browsers only. Defaults to false.
	RequireOrigin bool

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
	// MaxQueueFrames and MaxQueueBytes bound what waits for one connection; above either it is closed with 4100. A burst
	// of small frames has room until one write has taken 250 ms; and a single frame may be larger than MaxQueueBytes, like
	// the answer to a subscription to a channel of many members, as long as no more than half of that waits in front of it.
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

	// MaxUserConnections is how many connections may be signed in as one user; one
	// more sign-in is refused with the error 4100, and its connection stays without
	// a user. Subscriptions do not count. Defaults to 20, negative means no limit.
	MaxUserConnections int
	// MaxAddressConnections is how many connections may come from one address, or one /64 network of IPv6, and
	// AddressConnectRate how fast; more are refused with 4100. The defaults, 100 and 10 a second with bursts of 20, hold
	// for public addresses only, since anything else is likely to be a proxy that TrustedProxies does not name; a value
	// that is set holds for all. Negative means no limit.
	MaxAddressConnections int
	AddressConnectRate    Rate
	// TrustedProxies are the proxies in front of the server. A client behind one has the address that the proxy has added
	// to X-Forwarded-For; from others the header counts for nothing. Defaults to none.
	TrustedProxies []netip.Prefix
	// ConnectRate is how fast connections may come altogether; more are refused with 4100. Defaults to 500 a second.
	ConnectRate Rate
	// MessageRate is how fast one connection may send frames, pings and fragments too; above it, it is closed with 4100.
	// A client that reconnects subscribes to all its channels at once, so the burst must be larger than MaxChannels.
	// Defaults to 30 a second, 250 at once.
	MessageRate Rate
	// PingRate is how fast one connection may send ping frames (RFC 6455 §5.5.2), which browsers never do and other
	// clients every few seconds; above it, it is closed with 4100. Messages of the name pusher:ping do not count. Defaults
	// to 5 a second, 20 at once.
	PingRate Rate
	// SubscribeRate is how fast one connection may subscribe. Clients do not repeat what is refused, so one that is too
	// fast is read from more slowly. Defaults to 20 a second, 60 at once.
	SubscribeRate Rate

	// HandshakeTimeout is how long the answer to the request for a connection may take. How long the request itself may
	// is up to the host's http.Server.ReadHeaderTimeout. Defaults to 5 s.
	HandshakeTimeout time.Duration
	// SubscribeTimeout is how long a connection may last without having subscribed
	// or signed in before it is closed with 4100. Pages that connect first and
	// subscribe later need none. Defaults to 0, no limit, as negative values are.
	SubscribeTimeout time.Duration
	// AuthorizationTimeout is how long a connection may last without having signed in or subscribed to a channel that
	// needs a signature, before it is closed with 4009, for servers without anonymous use ("authorized connections" of
	// hosted Pusher). Defaults to 0, for ever.
	AuthorizationTimeout time.Duration
	// MaxSessionAge is the longest that a connection lasts; the last tenth of it is spread, and its end is 4200, upon
	// which clients reconnect and are authorised anew. Defaults to 24 h, negative means for ever.
	MaxSessionAge time.Duration
	// GrantTTL is how long a signature of SignChannel with a member may be used. Signatures of other SDKs carry no time
	// and last as long as the connection that they are for. Defaults to 10 minutes, negative means as long.
	GrantTTL time.Duration

	// ClientEvents are the names of the events that clients may send to one another on private and presence channels:
	// "client-typing", or "client-*" for all. Defaults to none.
	ClientEvents []string
	// MaxClientEventBytes is the largest payload of one. Hosted Pusher allows 10 KiB. Defaults to 2 KiB.
	MaxClientEventBytes int
	// ClientEventRate is how fast one connection may send them; what is above is refused with the error 4301. Defaults to
	// 10 a second, 20 at once.
	ClientEventRate Rate

	// MaxMembers is how many users a presence channel has room for; one more is refused with pusher:subscription_error.
	// Defaults to 100.
	MaxMembers int
	// MaxMemberInfo is the largest user_info of a member in bytes. Defaults to 1 KiB.
	MaxMemberInfo int
	// CacheTTL is how long a cache channel remembers its last event. Defaults to 30 minutes.
	CacheTTL time.Duration
	// MaxCachedEvents is how many events are remembered in all, of up to 10 KiB each; for more, old ones are forgotten.
	// Defaults to 10,000.
	MaxCachedEvents int
	// SubscriptionCount tells the subscribers of a channel, except a presence channel, how many they are. Defaults to
	// false.
	SubscriptionCount bool

	// Authorize is asked again and again who of the current listeners may still listen, at most 500 of them in one call:
	// the answer has one value for each, and ends the subscriptions of those with false. When it fails, everybody stays
	// until the next time. It covers what [Server.Revoke] is not called for. It has 10 s; when it fails after
	// that it is asked about fewer at once for a while. Its ctx ends with Shutdown. [Server.Recheck] asks at once.
	// Defaults to the function of [Server.AuthorizeWith], and without one to no such check. [Server.Run] with a Bus
	// needs one of the two.
	Authorize realtime.AuthorizeFunc
	// AuthorizeInterval is the time between two rounds, give or take a fifth. Defaults to 60 s.
	AuthorizeInterval time.Duration

	// MaxRequestBytes is the largest body that the HTTP API reads; above it the call is refused with 413. Defaults to
	// 1 MiB, room for ten events of the largest size however an SDK escapes them.
	MaxRequestBytes int64
	// RefuseReplays makes the HTTP API serve each signature of a POST once, for as
	// long as its timestamp is accepted; a repeated call is refused with 401. A call
	// that was refused can be repeated. A signature covers the time in whole seconds
	// and nothing that is unique, so two equal events of one second are a replay
	// too. Set it only if no publisher sends those. Defaults to false.
	RefuseReplays bool

	// Webhooks are told what happens on the channels. Defaults to none.
	Webhooks []Webhook
	// MaxWebhookQueue is how many events wait for one endpoint; above it the oldest are dropped. Defaults to 10,000.
	MaxWebhookQueue int
	// AllowPrivateWebhooks lets webhooks go to loopback, private and link-local addresses, where a URL that a stranger
	// chose could reach the services inside a network, and the metadata of a cloud. Defaults to false.
	AllowPrivateWebhooks bool

	// Bus makes the servers of several processes one: events, presence, counts, the HTTP API, webhooks, Revoke and
	// TerminateUser are those of all of them, as long as they have the same AppID, Key and Secret. It needs [Server.Run],
	// Resync, and Authorize or [Server.AuthorizeWith], because a bus may lose events and revocations. The limits of connections stay those of one
	// process, and so does what a cache channel remembers from before a process started. Defaults to none: this process is
	// alone.
	Bus realtime.Bus
	// Resync makes the event that has the subscribers of a channel fetch what they may have missed, because the bus has
	// lost something; chat.ResyncEvent does. Required with a Bus.
	Resync func(ch realtime.Channel) (ev realtime.Event, ok bool)
	// OnWake is called when another node may have left something in the outbox: it has gone, the bus has come up, or
	// somebody has called [Server.Wake]. Give it the Wake of a realtime.Relay. It must not block. Defaults to nothing.
	OnWake func()

	// FixedChannel maps the channel of every event and revocation to the name
	// that clients subscribe to. It is for a host whose own front end builds
	// channel names that do not change with the audience;
	// consultation.FixedChannel is such a function. An event with an Audience
	// then reaches only the connections whose subscription was signed for a user
	// of the audience, or that are signed in as one. All servers of a cluster
	// need the same function. It is called for every event and must not block.
	// Defaults to none: clients subscribe to the name that the event has.
	FixedChannel func(realtime.Channel) realtime.Channel

	// Logger gets what no caller can see: slow clients, panics. Ids and sizes only. Defaults to slog.Default().
	Logger *slog.Logger

	// Set by withDefaults when the limits by address are the defaults.
	defaultAddressConnections, defaultAddressRate bool
}

func (c Config) withDefaults() Config {
	for _, field := range []*string{&c.AppID, &c.Key, &c.Secret} {
		*field = strings.TrimSpace(*field)
	}
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
	c.defaultAddressConnections = c.MaxAddressConnections == 0
	c.defaultAddressRate = c.AddressConnectRate == Rate{}
	orInt(&c.MaxUserConnections, 20)
	orInt(&c.MaxAddressConnections, 100)
	c.AddressConnectRate = c.AddressConnectRate.withDefault(Rate{PerSecond: 10, Burst: 20})
	c.ConnectRate = c.ConnectRate.withDefault(Rate{PerSecond: 500})
	c.MessageRate = c.MessageRate.withDefault(Rate{PerSecond: 30, Burst: 250})
	c.PingRate = c.PingRate.withDefault(Rate{PerSecond: 5, Burst: 20})
	c.SubscribeRate = c.SubscribeRate.withDefault(Rate{PerSecond: 20, Burst: 60})
	c.ClientEventRate = c.ClientEventRate.withDefault(Rate{PerSecond: 10, Burst: 20})
	orDuration(&c.HandshakeTimeout, 5*time.Second)
	orDuration(&c.MaxSessionAge, 24*time.Hour)
	orDuration(&c.GrantTTL, 10*time.Minute)
	orDuration(&c.CacheTTL, 30*time.Minute)
	orDuration(&c.AuthorizeInterval, time.Minute)
	orInt(&c.MaxClientEventBytes, 2<<10)
	orInt(&c.MaxMembers, 100)
	orInt(&c.MaxMemberInfo, 1<<10)
	orInt(&c.MaxCachedEvents, 10_000)
	orInt(&c.MaxWebhookQueue, 10_000)
	if c.MaxRequestBytes == 0 {
		c.MaxRequestBytes = 1 << 20
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Logger = slog.New(containedHandler{c.Logger.Handler()})
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
	for _, d := range []time.Duration{
		c.PongTimeout, c.WriteTimeout, c.CloseTimeout, c.DrainTime, c.HandshakeTimeout, c.AuthorizationTimeout, c.CacheTTL,
		c.AuthorizeInterval,
	} {
		if d < 0 {
			problem("Config: a time is negative")
		}
	}
	for _, n := range []int{
		c.MaxMessageBytes, c.MaxQueueFrames, c.MaxQueueBytes, c.MaxQueueMemory, c.MaxConnections, c.MaxChannels,
		c.MaxClientEventBytes, c.MaxMembers, c.MaxMemberInfo, c.MaxCachedEvents,
	} {
		if n < 0 {
			problem("Config: a limit is negative")
		}
	}
	if c.MaxRequestBytes < 0 || c.MaxWebhookQueue < 0 {
		problem("Config: a limit of the HTTP API or the webhooks is negative")
	}
	if c.Bus != nil && c.Bus.MaxFrame() < minBusFrame {
		problem("Config.Bus takes frames of less than %d bytes", minBusFrame)
	}
	if c.Bus != nil && c.Resync == nil {
		problem("Config.Bus needs Config.Resync, to make good what it loses")
	}
	for i, h := range c.Webhooks {
		if err := h.validate(c.AllowPrivateWebhooks); err != nil {
			problem("Config.Webhooks[%d]: %w", i, err)
		}
	}
	for _, name := range c.ClientEvents {
		if !strings.HasPrefix(name, pusherproto.PrefixClientEvent) || len(name) > realtime.MaxEventName {
			problem("Config.ClientEvents: %q does not start with client-, or is too long", name)
		}
	}
	if c.MessageRate.PerSecond > 0 && c.MessageRate.Burst <= c.MaxChannels {
		problem("Config.MessageRate.Burst must be larger than MaxChannels")
	}
	for _, o := range c.AllowedOrigins {
		if _, err := parseOrigin(o); o != "*" && err != nil {
			problem("Config.AllowedOrigins: %q is not like https://host", o)
		}
	}
	return errors.Join(errs...)
}

// minBusFrame is what every bus takes, see [realtime.Bus].
const minBusFrame = 1024

// isURLWord reports whether s can stand in a path without escaping.
func isURLWord(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-'
	}) < 0
}

func (c Config) credentials() pusherproto.Credentials {
	return pusherproto.Credentials{Key: c.Key, Secret: c.Secret}
}
