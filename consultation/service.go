package consultation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/google/uuid"

	"github.com/murph-chat/murph/realtime"
)

// DefaultMaxTopic is how many characters a topic may have unless [Options] say otherwise.
const DefaultMaxTopic = 500

// The defaults of the rates in [Options].
var (
	defaultWriteRate   = realtime.Rate{PerSecond: 20, Burst: 100}
	defaultRequestRate = realtime.Rate{PerSecond: 1, Burst: 20}
)

// Broadcaster carries the events to the subscribers. A [realtime.OutboxBroadcaster] makes them survive a crash and a
// transport that is down; see [realtime.Publisher].
type Broadcaster interface {
	Broadcast(ctx context.Context, ev realtime.Event) error
}

// Options changes how a [Service] works. The zero value is ready to use.
type Options struct {
	// MaxTopic is the longest topic in characters. Defaults to [DefaultMaxTopic].
	MaxTopic int
	// Policy narrows who may do what. Defaults to no narrowing.
	Policy Policy
	// NewID makes ids for consultations that come without one. Defaults to UUIDv7.
	NewID func() ID
	// Listeners says who may listen to a consultation's channels: the subscriptions of others are ended when the student
	// is replaced and when the consultation is completed or cancelled, if the transport can do that. Whoever takes part
	// can still read what was said. Defaults to the patient and the assigned student.
	Listeners func(c Consultation) []UserID
	// WriteRate limits how often one user may accept, complete and cancel, in this process, and RequestRate how often one
	// may request. Above it they get a [*RateLimitError]. The host application and TransitionTx are not limited, and a
	// repeat of RequestOnce does not count. WriteRate defaults to 20 per second with a burst of 100, RequestRate to 1 with
	// a burst of 20; negative means no limit.
	WriteRate   realtime.Rate
	RequestRate realtime.Rate
	// Publisher changes how events go out when the broadcaster has no outbox.
	Publisher realtime.PublisherOptions
	// Logger gets what no caller sees. Defaults to slog.Default().
	Logger *slog.Logger
}

func (o *Options) withDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	if d.MaxTopic <= 0 {
		d.MaxTopic = DefaultMaxTopic
	}
	if d.NewID == nil {
		d.NewID = func() ID { return ID(uuid.Must(uuid.NewV7()).String()) }
	}
	if d.Listeners == nil {
		d.Listeners = participants
	}
	if d.Logger == nil {
		d.Logger = slog.Default()
	}
	if d.Publisher.Logger == nil {
		d.Publisher.Logger = d.Logger
	}
	return d
}

// Service is the use cases around a consultation. It is safe for concurrent use.
type Service struct {
	store      Storage
	events     *realtime.Publisher
	revoker    realtime.Revoker    // nil if the transport cannot end subscriptions
	terminator realtime.Terminator // nil if it cannot end connections
	rechecker  realtime.Rechecker  // nil if it does not ask again who may listen
	writes     *realtime.Limiter   // nil without a limit, like requests
	requests   *realtime.Limiter
	opts       Options
	stats      counters
}

// NewService returns a Service. store and bc are required; opts may be nil. If bc is, or wraps, a [realtime.Rechecker],
// it is given [Service.MayListen] to ask.
func NewService(store Storage, bc Broadcaster, opts *Options) (*Service, error) {
	if store == nil || bc == nil {
		return nil, errors.New("consultation: a service needs a storage and a broadcaster")
	}
	o := opts.withDefaults()
	events, err := realtime.NewPublisher(bc, &o.Publisher)
	if err != nil {
		return nil, fmt.Errorf("consultation: %w", err)
	}
	s := &Service{store: store, events: events, opts: o}
	if s.writes, err = realtime.NewLimiter(o.WriteRate, defaultWriteRate); err != nil {
		return nil, fmt.Errorf("consultation: Options.WriteRate: %w", err)
	}
	if s.requests, err = realtime.NewLimiter(o.RequestRate, defaultRequestRate); err != nil {
		return nil, fmt.Errorf("consultation: Options.RequestRate: %w", err)
	}
	s.revoker, _ = realtime.Find[realtime.Revoker](bc)
	s.terminator, _ = realtime.Find[realtime.Terminator](bc)
	if s.rechecker, _ = realtime.Find[realtime.Rechecker](bc); s.rechecker != nil {
		s.rechecker.AuthorizeWith(s.MayListen)
	}
	return s, nil
}

// Get returns the consultation to its patient or its assigned student; everybody else gets [ErrNotFound].
func (s *Service) Get(ctx context.Context, id ID, viewer UserID) (Consultation, error) {
	if _, err := ParseID(string(id)); err != nil {
		return Consultation{}, err
	}
	if _, err := ParseUserID(string(viewer)); err != nil {
		return Consultation{}, err
	}
	return s.store.Consultation(ctx, id, viewer)
}

// TransitionParams describes a change of status or assignment.
type TransitionParams struct {
	ID ID    // the consultation
	By Actor // who changes it
	// Student is who is to be assigned, when the host accepts or reassigns. A student who accepts is assigned
	// themselves.
	Student *Participant
	// Except is the connection that needs no event, because it made the change.
	Except realtime.SocketID
}

// Accept starts a requested consultation with the student who asks, or the one whom the host names.
func (s *Service) Accept(ctx context.Context, p TransitionParams) (Consultation, error) {
	return s.Transition(ctx, StatusInProgress, p)
}

// Complete ends a consultation that is in progress.
func (s *Service) Complete(ctx context.Context, p TransitionParams) (Consultation, error) {
	return s.Transition(ctx, StatusCompleted, p)
}

// Cancel calls a consultation off.
func (s *Service) Cancel(ctx context.Context, p TransitionParams) (Consultation, error) {
	return s.Transition(ctx, StatusCancelled, p)
}

// Transition changes the status to one of IN_PROGRESS, COMPLETED and CANCELLED, by the rules of [Change.Apply], and then
// broadcasts. It returns the consultation as stored.
func (s *Service) Transition(ctx context.Context, to Status, p TransitionParams) (Consultation, error) {
	change, action, err := s.plan(to, p)
	if err != nil {
		return Consultation{}, err
	}
	if err := s.limit(s.writes, p.By); err != nil {
		return Consultation{}, err
	}
	if err := s.permit(ctx, s.store, action, change); err != nil {
		return Consultation{}, err
	}
	return s.commit(ctx, change, p.Except)
}

// Reassign puts another student into a consultation that is in progress. Only the host may. From the moment it returns
// the former student can neither write nor read.
func (s *Service) Reassign(ctx context.Context, p TransitionParams) (Consultation, error) {
	return s.Transition(ctx, "", p)
}

// TransitionTx is Transition within a transaction of the host's: tx is the store bound to it, as bunstore's With returns.
// The change and its events appear if and only if the host commits. It publishes nothing itself: the outbox does after
// the commit, so without an outbox it returns [ErrNoOutbox]. [ErrRetryTx] means that the whole transaction has to be run
// again. After the commit, also after one whose outcome is unknown, call [Service.EndSubscriptions] with the result.
func (s *Service) TransitionTx(ctx context.Context, tx Storage, to Status, p TransitionParams) (Consultation, error) {
	if !s.events.HasOutbox() {
		return Consultation{}, ErrNoOutbox
	}
	change, action, err := s.plan(to, p)
	if err != nil {
		return Consultation{}, err
	}
	if err := s.permit(ctx, tx, action, change); err != nil {
		return Consultation{}, err
	}
	done, err := tx.Change(ctx, ChangeParams{Change: change, Enqueue: &realtime.Enqueue{Except: p.Except}})
	return done.Consultation, err
}

// plan checks the input.
func (s *Service) plan(to Status, p TransitionParams) (ch Change, action Action, err error) {
	switch to {
	case StatusInProgress:
		action = ActionAccept
	case StatusCompleted:
		action = ActionComplete
	case StatusCancelled:
		action = ActionCancel
	case "":
		action = ActionReassign
	default:
		return Change{}, "", &InvalidError{Field: "status", Reason: "must be IN_PROGRESS, COMPLETED or CANCELLED"}
	}
	if _, err := ParseID(string(p.ID)); err != nil {
		return Change{}, "", err
	}
	ch = Change{ID: p.ID, By: p.By, To: to}
	switch {
	case p.By.host:
		switch {
		case p.Student != nil:
			student := p.Student.Clean()
			ch.Student = &student
		case to == "" || to == StatusInProgress:
			return Change{}, "", &InvalidError{Field: "student", Reason: "must be given"}
		}
	default:
		person := p.By.person.Clean()
		if err := person.Validate(); err != nil {
			return Change{}, "", err
		}
		if to == StatusInProgress {
			ch.Student = &person
		}
	}
	if ch.Student != nil {
		if err := ch.Student.Validate(); err != nil {
			return Change{}, "", err
		}
	}
	return ch, action, nil
}

// limit counts an action of a person, or returns a [*RateLimitError].
func (s *Service) limit(l *realtime.Limiter, by Actor) error {
	if by.host {
		return nil
	}
	if wait := l.Take(string(by.person.UserID)); wait > 0 {
		s.stats.rateLimited.Add(1)
		return &RateLimitError{RetryAfter: wait}
	}
	return nil
}

func (s *Service) commit(ctx context.Context, ch Change, except realtime.SocketID) (Consultation, error) {
	done, err := s.store.Change(ctx, ChangeParams{Change: ch, Enqueue: s.events.Enqueue(except)})
	if err != nil {
		if ch.endsListening() && !decided(err) {
			s.endUnknown(ctx, ch.ID)
		}
		return Consultation{}, err
	}
	if done.Unchanged {
		return done.Consultation, nil
	}
	s.stats.changed(ch)
	if ch.endsListening() { // before the events, which are not for users who left
		s.EndSubscriptions(ctx, done.Consultation)
	}
	s.announce(ctx, done, except)
	return done.Consultation, nil
}

// announce publishes the events of a stored change, from the version of the consultation that the change returned.
func (s *Service) announce(ctx context.Context, done Changed, except realtime.SocketID) {
	c := done.Consultation
	if u := done.Announcement.Status; u != nil {
		s.events.Publish(ctx, done.StatusEntry, NewStatusUpdate(*u, c.Audience(), except))
	}
	if done.Announcement.Assignment {
		s.events.Publish(ctx, done.AssignmentEntry, NewConsultationUpdated(c, c.Rev, except))
	}
	if left := done.Announcement.Left; left != 0 {
		s.events.Publish(ctx, done.LeftEntry, NewResyncRequired(c.ID, Channel(c.ID, left), 0))
	}
}

// decided reports whether err says for certain that nothing was stored. Other errors leave it open, as when the
// connection is lost between a commit and its answer.
func decided(err error) bool {
	for _, known := range [...]error{ErrNotFound, ErrForbidden, ErrNotActive, ErrConflict, ErrExists, ErrInvalid, ErrRetryTx} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}
