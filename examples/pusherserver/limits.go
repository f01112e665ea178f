package main

import (
	"errors"
	"flag"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/murph-chat/murph/realtime/ws"
)

// limits makes a flag for each field of ws.Config that refuses something to a
// client, with its name and, but for -max-client-event-bytes, its default. 0 is the
// default of ws.Config.
func limits(flags *flag.FlagSet, c *ws.Config) {
	for _, f := range []struct {
		name  string
		value *int
		def   int
		usage string
	}{
		{"max-connections", &c.MaxConnections, 50_000, "connections at once"},
		{"max-address-connections", &c.MaxAddressConnections, 0, "connections from one address; for private addresses only if set; negative is no limit"},
		{"max-user-connections", &c.MaxUserConnections, 20, "connections signed in as one user; negative is no limit"},
		{"max-channels", &c.MaxChannels, 100, "channels of one connection; the burst of -message-rate must be larger"},
		{"max-members", &c.MaxMembers, 100, "members of a presence channel"},
		{"max-member-info", &c.MaxMemberInfo, 1 << 10, "bytes of a member's user_info"},
		{"max-message-bytes", &c.MaxMessageBytes, 16 << 10, "bytes of a message from a client"},
		{"max-client-event-bytes", &c.MaxClientEventBytes, 10 << 10, "bytes of the data of a client event, by default as many as hosted Pusher allows"},
		{"max-queue-frames", &c.MaxQueueFrames, 64, "frames that wait for a client that does not read"},
		{"max-queue-bytes", &c.MaxQueueBytes, 256 << 10, "bytes that wait for a client that does not read"},
		{"max-queue-memory", &c.MaxQueueMemory, 256 << 20, "bytes that wait for all clients"},
		{"max-cached-events", &c.MaxCachedEvents, 10_000, "events that cache channels remember"},
		{"max-webhook-queue", &c.MaxWebhookQueue, 10_000, "events that wait for one webhook"},
	} {
		flags.IntVar(f.value, f.name, f.def, f.usage)
	}
	flags.Int64Var(&c.MaxRequestBytes, "max-request-bytes", 1<<20, "bytes of the body of an API call")
	for _, f := range []struct {
		name  string
		value *ws.Rate
		def   ws.Rate
		usage string
	}{
		{"connect-rate", &c.ConnectRate, ws.Rate{PerSecond: 500}, "new connections"},
		{"address-connect-rate", &c.AddressConnectRate, ws.Rate{}, "new connections from one address; for private addresses only if set"},
		{"message-rate", &c.MessageRate, ws.Rate{PerSecond: 30, Burst: 250}, "frames from one connection"},
		{"ping-rate", &c.PingRate, ws.Rate{PerSecond: 5, Burst: 20}, "ping frames from one connection"},
		{"subscribe-rate", &c.SubscribeRate, ws.Rate{PerSecond: 20, Burst: 60}, "subscriptions of one connection; above it they wait"},
		{"client-event-rate", &c.ClientEventRate, ws.Rate{PerSecond: 10, Burst: 20}, "client events from one connection"},
	} {
		*f.value = f.def
		flags.Var((*rate)(f.value), f.name, f.usage+", `per second/at once`; negative is no limit")
	}
	for _, f := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
		usage string
	}{
		{"pong-timeout", &c.PongTimeout, 10 * time.Second, "time for the answer to a ping"},
		{"write-timeout", &c.WriteTimeout, 5 * time.Second, "time for one write to a client"},
		{"close-timeout", &c.CloseTimeout, 2 * time.Second, "time for the answer to a close frame"},
		{"handshake-timeout", &c.HandshakeTimeout, 5 * time.Second, "time for the answer to a handshake"},
		{"subscribe-timeout", &c.SubscribeTimeout, 0, "age of a connection without a subscription or a sign-in; 0 is no limit"},
		{"authorization-timeout", &c.AuthorizationTimeout, 0, "age of a connection without a signed subscription or a sign-in; 0 is no limit"},
		{"max-session-age", &c.MaxSessionAge, 24 * time.Hour, "age of a connection; negative is no limit"},
		{"grant-ttl", &c.GrantTTL, 10 * time.Minute, "age of signatures that carry a time; negative is no limit"},
		{"cache-ttl", &c.CacheTTL, 30 * time.Minute, "age of an event that a cache channel remembers"},
	} {
		flags.DurationVar(f.value, f.name, f.def, f.usage)
	}
	flags.BoolVar(&c.RequireOrigin, "require-origin", false, "refuse connections that no page makes")
	flags.BoolVar(&c.RefuseReplays, "refuse-replays", false, "refuse equal calls of the HTTP API within one second")
}

// rate is the value of a flag: "10" or "10/20", events per second and at once.
type rate ws.Rate

func (r *rate) Set(s string) error {
	perSecond, burst, both := strings.Cut(s, "/")
	var parsed rate
	var err error
	if parsed.PerSecond, err = strconv.ParseFloat(perSecond, 64); err != nil || math.IsNaN(parsed.PerSecond) {
		return errors.New("not a number of events per second")
	}
	if both {
		if parsed.Burst, err = strconv.Atoi(burst); err != nil || parsed.Burst < 1 {
			return errors.New("not a number of events at once")
		}
	}
	*r = parsed
	return nil
}

func (r *rate) String() string {
	s := strconv.FormatFloat(r.PerSecond, 'g', -1, 64)
	if r.Burst > 0 {
		s += "/" + strconv.Itoa(r.Burst)
	}
	return s
}

// otherFlags are the flags that are not called as their fields of ws.Config.
var otherFlags = map[string]string{"AllowedOrigins": "origins", "DrainTime": "drain"}

// flagFor returns the name of the flag that sets a field of ws.Config.
func flagFor(field string) string {
	if name, ok := otherFlags[field]; ok {
		return name
	}
	var name strings.Builder
	runes := []rune(field)
	for i, r := range runes {
		// A word begins at a capital letter, unless that is within an abbreviation.
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			name.WriteByte('-')
		}
		name.WriteRune(unicode.ToLower(r))
	}
	return name.String()
}

// nameFlags makes the log of ws name the flag where it names the field of
// ws.Config that has refused something.
func nameFlags(_ []string, a slog.Attr) slog.Attr {
	if field, ok := strings.CutPrefix(a.Value.String(), "Config."); ok && a.Key == "setting" {
		return slog.String("flag", "-"+flagFor(field))
	}
	return a
}
