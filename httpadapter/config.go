package httpadapter

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// DefaultMaxRequestBytes is the limit of a request's body unless [Config] says otherwise. A message of
// [chat.DefaultMaxContent] characters fits even when its JSON escapes every one of them.
const DefaultMaxRequestBytes = 64 << 10

// DefaultBodyTimeout is the limit of the time for a request's body unless [Config] says otherwise.
const DefaultBodyTimeout = 10 * time.Second

// DefaultRequestTimeout is the limit of the time for a request unless [Config] says otherwise.
const DefaultRequestTimeout = 30 * time.Second

// ErrUnavailable is [consultation.ErrUnavailable]. An [Authenticator] wraps it
// when it cannot find out who makes a request, as when the store of the sessions
// is down: the answer is 503, with Retry-After, instead of 401, which would log
// the user out.
var ErrUnavailable = consultation.ErrUnavailable

// Authenticator tells who makes a request, from the host's own session. An error that matches [ErrUnavailable] is answered
// with 503 and logged with its text, which must hold no secret. Any other error is answered with 401, and its text goes
// nowhere, so log what matters before returning it. A Participant without a user id is nobody and also gets 401; one that
// [consultation.Participant.Validate] refuses for another reason is a fault of the host and gets 500. It must be safe for
// concurrent use.
type Authenticator interface {
	// Authenticate returns the person whose session the request belongs to. It is
	// called twice for an authorization of a channel or a user: before the body is
	// read, and before the grant is signed.
	Authenticate(r *http.Request) (consultation.Participant, error)
}

// AuthenticatorFunc makes an Authenticator out of a function.
type AuthenticatorFunc func(r *http.Request) (consultation.Participant, error)

// Authenticate calls f.
func (f AuthenticatorFunc) Authenticate(r *http.Request) (consultation.Participant, error) {
	return f(r)
}

// Config is what [New] needs. Chat, Consultations and Authenticator are required.
type Config struct {
	Chat          *chat.Service
	Consultations *consultation.Service
	Authenticator Authenticator
	// Signer signs the subscriptions: the *ws.Server or the *pusher.Broadcaster. Nil means that there is no real-time
	// transport: the front end polls, and the two authorisation routes do not exist.
	Signer realtime.Signer
	// Socket serves the WebSocket connections: the *ws.Server. Nil means that the route does not exist.
	Socket http.Handler
	// Transport is what the front end is told about the way to the events.
	Transport Transport
	// BasePath is put before each of the Paths, like "/chat". Requests must arrive with it: do not strip it. Defaults to
	// nothing.
	BasePath string
	// Paths are the paths of the routes below BasePath.
	Paths Paths
	// MaxRequestBytes is the limit of a request's body; above it the answer is 413. Raise it along with
	// [chat.Options].MaxContent. Defaults to [DefaultMaxRequestBytes].
	MaxRequestBytes int64
	// BodyTimeout is how long a client may take to send a request's body; above it the answer is 408. The ReadTimeout of
	// the host's http.Server counts if it is shorter. Middleware that wraps the ResponseWriter needs an Unwrap method for
	// it. Negative means no limit. Defaults to [DefaultBodyTimeout].
	BodyTimeout time.Duration
	// RequestTimeout is how long a request may take; above it the answer is 503 with Retry-After. The socket is not subject
	// to it. Negative means no limit. Defaults to [DefaultRequestTimeout].
	RequestTimeout time.Duration
	// MaxReads is how many reads of the store (a page, catching up, the list, channel authorisation) are under way at the
	// same time; all clients make some when they reconnect after a restart. What is above waits for its turn, for 2 s at
	// most, and is then answered with 503 and Retry-After. It should be below the number of the database's connections, so
	// that some are left to writes. Negative means no limit. Defaults to half of the connections where the store knows
	// their limit ([chat.Service.MaxReads]; bunstore does after SetMaxOpenConns), otherwise to [DefaultMaxReads]. Writes
	// have fixed limits: of each consultation and of each user 2 are in the store at once and 32 wait, and what is above
	// is answered likewise.
	MaxReads int
	// TrustedOrigins are the origins beside the page's own that may make requests, like "https://app.example". Defaults
	// to none.
	TrustedOrigins []string
	// Logger gets the failures that the client learns of only as 500 or 503. Of
	// those with 503 it gets one of each kind in a minute, with the number of
	// those in between. Defaults to slog.Default().
	Logger *slog.Logger
}

// Paths are the paths of the routes. Each starts with a slash; those with a wildcard have it as one whole segment. ""
// stands for the default.
type Paths struct {
	Messages      string // POST. Defaults to "/api/nachrichten".
	Message       string // PATCH and DELETE, with {id}. Defaults to "/api/nachrichten/{id}".
	Consultations string // GET and POST. Defaults to "/api/beratungen".
	Consultation  string // GET and PATCH, with {id}. Defaults to "/api/beratungen/{id}".
	Read          string // POST, with {id}. Defaults to "/api/beratungen/{id}/gelesen".
	ChannelAuth   string // POST. Defaults to "/api/pusher/auth".
	UserAuth      string // POST. Defaults to "/api/pusher/user-auth".
	// Socket is GET and ends in "/app/{key}", because the Pusher clients append that by themselves. Defaults to
	// "/app/{key}".
	Socket string
	// OpenAPI is GET, without a session: the description of the interface, see [Handler.OpenAPI]. Defaults to no such route.
	OpenAPI string
}

func (p Paths) withDefaults() Paths {
	for _, d := range [...]struct {
		path  *string
		value string
	}{
		{&p.Messages, "/api/nachrichten"},
		{&p.Message, "/api/nachrichten/{id}"},
		{&p.Consultations, "/api/beratungen"},
		{&p.Consultation, "/api/beratungen/{id}"},
		{&p.Read, "/api/beratungen/{id}/gelesen"},
		{&p.ChannelAuth, "/api/pusher/auth"},
		{&p.UserAuth, "/api/pusher/user-auth"},
		{&p.Socket, socketSuffix},
	} {
		if *d.path == "" {
			*d.path = d.value
		}
	}
	return p
}

func (c Config) withDefaults() Config {
	c.BasePath = strings.TrimSuffix(c.BasePath, "/")
	c.Paths = c.Paths.withDefaults()
	if c.MaxRequestBytes == 0 {
		c.MaxRequestBytes = DefaultMaxRequestBytes
	}
	if c.BodyTimeout == 0 {
		c.BodyTimeout = DefaultBodyTimeout
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = DefaultRequestTimeout
	}
	if c.MaxReads == 0 && c.Chat != nil {
		c.MaxReads = c.Chat.MaxReads()
	}
	if c.MaxReads == 0 {
		c.MaxReads = DefaultMaxReads
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	c.Transport = c.Transport.withDefaults(c)
	return c
}

func (c Config) validate() error {
	var errs []error
	if c.Chat == nil || c.Consultations == nil || c.Authenticator == nil {
		errs = append(errs, errors.New("the fields Chat, Consultations and Authenticator are required"))
	}
	if c.BasePath != "" {
		if err := checkPath(c.BasePath, ""); err != nil {
			errs = append(errs, fmt.Errorf("BasePath %w", err))
		}
	}
	if c.MaxRequestBytes < 0 {
		errs = append(errs, errors.New("MaxRequestBytes must not be negative"))
	}
	if !strings.HasSuffix(c.Paths.Socket, socketSuffix) {
		errs = append(errs, fmt.Errorf("Paths.Socket must end in %q", socketSuffix))
	}
	return errors.Join(append(errs, c.Transport.validate(c))...)
}
