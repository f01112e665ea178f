package pusher

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/murph-chat/murph/realtime"
)

// Config says which application of hosted Pusher Channels to use. AppID, Key and Secret are required, and one of
// Cluster and Host. White space around them does not count.
type Config struct {
	// AppID names the application, in Latin letters, digits, "_" and "-".
	AppID string
	// Key is public: the browsers get it. It has the same characters.
	Key string
	// Secret signs. It never leaves the process.
	Secret string
	// Cluster is the data centre, like "eu". The browsers get it.
	Cluster string
	// Host is where the HTTP API is, "host" or "host:port" without a scheme, for a proxy, for a server that speaks the
	// same protocol, or for tests. An IPv6 address with a port is written in brackets. Defaults to that of the cluster.
	Host string
	// Insecure sends over plain HTTP instead of TLS. For a Host on the same machine only: content and signatures can be
	// read on the way.
	Insecure bool

	// EncryptionKey is the secret behind the keys of [PrivacyEncrypted], [EncryptionKeyLength] random bytes. All processes
	// of an application need the same one.
	EncryptionKey []byte
	// Privacy says how much of an event leaves the house. Defaults to [PrivacyFull].
	Privacy Privacy
	// FixedChannel maps the channel of every event to the name that clients
	// subscribe to. It is for a host whose own front end builds channel names
	// that do not change with the audience; consultation.FixedChannel is such a
	// function. It is called for every event and must not block.
	//
	// It needs [PrivacyThin] or [PrivacyEncrypted]: the service delivers to all
	// subscribers of a name, also to a user who was replaced. With
	// PrivacyEncrypted the key depends on the event's Audience, so that user
	// cannot open what comes later. Defaults to none: clients subscribe to the
	// name that the event has.
	FixedChannel func(realtime.Channel) realtime.Channel
	// Timeout bounds one call, beside the caller's context. Defaults to 5 seconds.
	Timeout time.Duration
	// Transport makes the connections. Defaults to one that keeps enough of them open.
	Transport http.RoundTripper
	// Logger gets what no caller can see. Defaults to slog.Default().
	Logger *slog.Logger
}

// Privacy says how much of an event the hosted service gets to see.
type Privacy int

// The choices for privacy.
const (
	// PrivacyFull sends the events as they are: the service sees the messages.
	PrivacyFull Privacy = iota
	// PrivacyThin sends ids and numbers only, and the clients fetch the rest from the host: the service sees who is in
	// which consultation and when something happens there. Presence carries ids without names.
	PrivacyThin
	// PrivacyEncrypted sends events of private channels sealed, on the channel with "private-encrypted-" in the place of
	// "private-": the service sees names, sizes and times. The browser opens them with a key that it gets from the host
	// along with the authorization, made from [Config.EncryptionKey] and the channel, whose name changes with the audience;
	// so a user who was replaced cannot open what comes later. With [Config.FixedChannel] it is made from the event's
	// audience too. Presence carries ids without names. (Pusher Channels documentation, "End-to-end encryption".)
	PrivacyEncrypted
)

// EncryptionKeyLength is the length of [Config.EncryptionKey] in bytes.
const EncryptionKeyLength = 32

func (c Config) withDefaults() Config {
	for _, field := range []*string{&c.AppID, &c.Key, &c.Secret, &c.Cluster, &c.Host} {
		*field = strings.TrimSpace(*field)
	}
	if host, port, err := parseHost(c.Host); err == nil {
		c.Host = joinHost(host, port)
	}
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	if c.Transport == nil {
		c.Transport = newTransport()
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}

func (c Config) validate() error {
	var errs []error
	for _, required := range [...]struct{ name, value string }{{"AppID", c.AppID}, {"Key", c.Key}, {"Secret", c.Secret}} {
		if required.value == "" {
			errs = append(errs, fmt.Errorf("pusher: Config.%s is empty", required.name))
		}
	}
	for _, word := range [...]struct{ name, value string }{{"AppID", c.AppID}, {"Key", c.Key}, {"Cluster", c.Cluster}} {
		if !isWord(word.value) {
			errs = append(errs, fmt.Errorf("pusher: Config.%s has a character outside [A-Za-z0-9_-]", word.name))
		}
	}
	if c.Cluster == "" && c.Host == "" {
		errs = append(errs, errors.New("pusher: one of Config.Cluster and Config.Host must be set"))
	}
	if _, _, err := parseHost(c.Host); c.Host != "" && err != nil {
		errs = append(errs, fmt.Errorf("pusher: Config.Host %w", err))
	}
	switch c.Privacy {
	case PrivacyFull, PrivacyThin:
	case PrivacyEncrypted:
		if len(c.EncryptionKey) != EncryptionKeyLength {
			errs = append(errs, fmt.Errorf("pusher: Config.EncryptionKey must have %d bytes", EncryptionKeyLength))
		}
	default:
		errs = append(errs, errors.New("pusher: Config.Privacy is none of the choices"))
	}
	if c.FixedChannel != nil && c.Privacy == PrivacyFull {
		errs = append(errs, errors.New("pusher: Config.FixedChannel needs PrivacyThin or PrivacyEncrypted: "+
			"under a fixed name the service delivers to all subscribers, also to a user who was replaced"))
	}
	return errors.Join(errs...)
}

// String shows what is public.
func (c Config) String() string {
	return "{app " + c.AppID + " key " + c.Key + " cluster " + c.Cluster + " host " + c.Host + " [hidden]}"
}

// LogValue shows what is public.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("app_id", c.AppID), slog.String("key", c.Key),
		slog.String("cluster", c.Cluster), slog.String("host", c.Host))
}

// MissingEnvError names the environment variables that have to be set and are not.
type MissingEnvError struct {
	// Names are the missing variables. Where several will do, it is the one to prefer.
	Names []string
}

// Error names every missing variable, and no value.
func (e *MissingEnvError) Error() string {
	return "pusher: missing in the environment: " + strings.Join(e.Names, ", ")
}

// ConfigFromEnv reads the Config from PUSHER_APP_ID, PUSHER_SECRET, NEXT_PUBLIC_PUSHER_KEY (or PUSHER_KEY) and
// NEXT_PUBLIC_PUSHER_CLUSTER (or PUSHER_CLUSTER); the first of two counts. For a server of one's own or a proxy,
// PUSHER_HOST, PUSHER_PORT and PUSHER_SCHEME ("https", or "http" for [Config.Insecure]) say where it is; with a host no
// cluster is needed, and without one the port is not used. The port may stand in PUSHER_HOST instead, but not in both.
//
// White space around a value does not count, and a variable that is empty or blank is not set. The error names every
// variable that is missing, as a *[MissingEnvError], and every one that has a value of the wrong form. A nil lookup means
// os.LookupEnv.
func ConfigFromEnv(lookup func(string) (string, bool)) (Config, error) {
	if lookup == nil {
		lookup = os.LookupEnv
	}
	e := environment{lookup: lookup}
	cfg := Config{
		AppID:    e.required("PUSHER_APP_ID"),
		Key:      e.required("NEXT_PUBLIC_PUSHER_KEY", "PUSHER_KEY"),
		Secret:   e.required("PUSHER_SECRET"),
		Host:     e.host(),
		Insecure: e.insecure(),
	}
	cluster := []string{"NEXT_PUBLIC_PUSHER_CLUSTER", "PUSHER_CLUSTER"}
	if e.optional("PUSHER_HOST") == "" {
		cfg.Cluster = e.required(cluster...)
	} else {
		cfg.Cluster = e.optional(cluster...)
	}
	if err := e.err(); err != nil {
		return Config{}, err
	}
	return cfg, nil
}
