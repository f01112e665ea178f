package httpadapter

import (
	"errors"
	"fmt"
	"strings"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// socketSuffix is what a Pusher client appends to its wsPath (Pusher Channels Protocol, "Connection").
const socketSuffix = "/app/{key}"

// Driver says how the front end gets the events.
type Driver string

// The drivers.
const (
	DriverWebSocket Driver = "websocket" // the host's own server, package realtime/ws
	DriverPusher    Driver = "pusher"    // hosted Pusher Channels
	DriverPoll      Driver = "poll"      // none: the front end asks for changes
)

// Transport is the connection that the front end is told to make. Nothing in it is secret. The names are those of the
// options of pusher-js.
type Transport struct {
	// Driver defaults to poll without a [Config].Signer, to websocket with a [Config].Socket, else to pusher.
	Driver Driver
	// Key is the application key, required by all drivers but poll. It must be the
	// one of the [Config].Signer and the [Config].Socket.
	Key string
	// Cluster is the cluster of hosted Pusher Channels; the driver pusher needs it, or WSHost.
	Cluster string
	// WSHost is the name of the socket's host. Defaults to the host of the page.
	WSHost string
	// WSPort and WSSPort are the ports without and with TLS. They default to those of the page, or of hosted Pusher.
	WSPort  int
	WSSPort int
	// WSPath is what precedes "/app/{key}" as the browser sees it. With a [Config].Socket it defaults to what precedes it
	// in the socket's path; set it when a proxy changes paths, "/" for nothing.
	WSPath string
	// ForceTLS makes the browser use TLS also from a page without. For hosted Pusher (the driver pusher without WSHost)
	// it is always on.
	ForceTLS bool
	// AuthEndpoint is the path of the channel authorisation as the browser sees it. Defaults to BasePath and
	// Paths.ChannelAuth; set it when a proxy changes paths.
	AuthEndpoint string
	// Presence says that the transport has presence channels: their names are handed out and signed. Who may see names
	// there is decided by the Signer.
	Presence bool
	// FixedChannels hands out and signs channel names that do not change with the audience, for a host whose front end
	// builds them itself. It goes with the transport's option FixedChannel; see [consultation.FixedChannel] for its cost.
	FixedChannels bool
	// Encrypted says that events travel on the encrypted channel instead of the private one. The Signer must be able to
	// hand out its key, and the Broadcaster must use it.
	Encrypted bool
}

func (t Transport) withDefaults(c Config) Transport {
	switch {
	case t.Driver != "":
	case c.Signer == nil:
		t.Driver = DriverPoll
	case c.Socket != nil:
		t.Driver = DriverWebSocket
	default:
		t.Driver = DriverPusher
	}
	if t.Driver == DriverPusher && t.WSHost == "" {
		t.ForceTLS = true
	}
	if t.WSPath == "" && c.Socket != nil && t.Driver == DriverWebSocket {
		t.WSPath = c.BasePath + strings.TrimSuffix(c.Paths.Socket, socketSuffix)
	}
	t.WSPath = strings.TrimSuffix(t.WSPath, "/")
	if t.AuthEndpoint == "" {
		t.AuthEndpoint = c.BasePath + c.Paths.ChannelAuth
	}
	return t
}

func (t Transport) validate(c Config) error {
	switch t.Driver {
	case DriverPoll:
		return nil
	case DriverWebSocket, DriverPusher:
	default:
		return fmt.Errorf("Transport.Driver must be %q, %q or %q", DriverWebSocket, DriverPusher, DriverPoll)
	}
	var errs []error
	if c.Signer == nil {
		errs = append(errs, fmt.Errorf("the driver %q needs a Signer", t.Driver))
	}
	if t.Key == "" {
		errs = append(errs, fmt.Errorf("the driver %q needs Transport.Key", t.Driver))
	} else if t.differs(c.Signer) || t.differs(c.Socket) {
		errs = append(errs, errors.New("Transport.Key is not the key of the Signer and the Socket"))
	}
	if t.Driver == DriverPusher && t.Cluster == "" && t.WSHost == "" {
		errs = append(errs, errors.New("the driver \"pusher\" needs Transport.Cluster or Transport.WSHost"))
	}
	return errors.Join(errs...)
}

// differs reports whether a part of the transport has another application key.
func (t Transport) differs(part any) bool {
	keyed, ok := part.(interface{ AppKey() string })
	return ok && keyed.AppKey() != t.Key
}

// connection is the member "transport" of an answer. Fields that do not apply are absent.
type connection struct {
	Driver  Driver `json:"driver"`
	Key     string `json:"key,omitempty"`
	Cluster string `json:"cluster,omitempty"`
	WSHost  string `json:"wsHost,omitempty"`
	WSPort  int    `json:"wsPort,omitempty"`
	WSSPort int    `json:"wssPort,omitempty"`
	WSPath  string `json:"wsPath,omitempty"`
	// ForceTLS is a pointer because pusher-js takes an absent one for true.
	ForceTLS        *bool            `json:"forceTLS,omitempty"`
	AuthEndpoint    string           `json:"authEndpoint,omitempty"`
	Channel         realtime.Channel `json:"channel,omitempty"`
	PresenceChannel realtime.Channel `json:"presenceChannel,omitempty"`
}

// audience returns the number in the channel names that are handed out for c.
func (t Transport) audience(c consultation.Consultation) int {
	if t.FixedChannels {
		return 1
	}
	return c.Audience().Number
}

// connection describes the way to the events of one consultation.
func (t Transport) connection(of consultation.Consultation) connection {
	if t.Driver == DriverPoll {
		return connection{Driver: t.Driver}
	}
	audience := t.audience(of)
	c := connection{
		Driver: t.Driver, Key: t.Key, Cluster: t.Cluster,
		WSHost: t.WSHost, WSPort: t.WSPort, WSSPort: t.WSSPort, WSPath: t.WSPath, ForceTLS: &t.ForceTLS,
		AuthEndpoint: t.AuthEndpoint, Channel: consultation.Channel(of.ID, audience),
	}
	if t.Encrypted {
		c.Channel = consultation.EncryptedChannel(of.ID, audience)
	}
	if t.Presence {
		c.PresenceChannel = consultation.PresenceChannel(of.ID, audience)
	}
	return c
}

// handsOut reports whether channels of this kind are part of a connection. No other is ever signed.
func (t Transport) handsOut(kind realtime.ChannelKind) bool {
	switch {
	case t.Driver == DriverPoll:
		return false
	case kind == realtime.KindPresence:
		return t.Presence
	}
	return t.Encrypted == (kind == realtime.KindEncrypted)
}
