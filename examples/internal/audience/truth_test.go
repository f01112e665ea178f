package audience

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// store is what the processes of a world share.
type store interface {
	consultation.Storage
	chat.Storage
	realtime.Outbox
}

// members are the users of a consultation from one rev on.
type members struct {
	rev              int64
	begun            int // the moment at which the change began
	patient, student consultation.UserID
}

func (m members) has(user consultation.UserID) bool { return user == m.patient || user == m.student }

// written is one text, a new message or an edit, that was stored.
type written struct {
	consultation consultation.ID
	rev          int64
}

// receipt says that a connection of the user has received the token of a text.
type receipt struct {
	user  consultation.UserID
	token string
}

// truth records what was stored, by the store's own answers, and what was received.
type truth struct {
	arrived chan struct{} // has a token when a text was received since it was taken

	mu        sync.Mutex // guards what follows
	tokens    int
	members   map[consultation.ID][]members
	suspended map[consultation.ID]map[consultation.UserID]int64 // from this rev on
	written   map[string]written
	received  map[receipt]int // the moment of the first receipt
	moments   int             // counts changes and receipts
}

func newTruth() *truth {
	return &truth{
		arrived:   make(chan struct{}, 1),
		members:   map[consultation.ID][]members{},
		suspended: map[consultation.ID]map[consultation.UserID]int64{},
		written:   map[string]written{},
		received:  map[receipt]int{},
	}
}

// token returns a text that is written nowhere else.
func (t *truth) token() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tokens++
	return fmt.Sprintf("token-%d-end", t.tokens)
}

var tokenPattern = regexp.MustCompile(`token-\d+-end`)

// receive records the tokens in a frame.
func (t *truth) receive(user consultation.UserID, frame []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, token := range tokenPattern.FindAllString(string(frame), -1) {
		t.moments++
		if _, again := t.received[receipt{user, token}]; !again {
			t.received[receipt{user, token}] = t.moments
		}
		select {
		case t.arrived <- struct{}{}:
		default:
		}
	}
}

// current returns the members of a consultation as of its highest rev.
func (t *truth) current(id consultation.ID) (now members) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.members[id] {
		if m.rev > now.rev {
			now = m
		}
	}
	return now
}

func (t *truth) wrote(token string, id consultation.ID, rev int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.written[token] = written{id, rev}
}

// begin returns the present moment, for a change that begins.
func (t *truth) begin() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.moments++
	return t.moments
}

func (t *truth) changed(c consultation.Consultation, begun int, out consultation.UserID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := members{rev: c.Rev, begun: begun, patient: c.Patient.UserID}
	if c.Student != nil {
		m.student = c.Student.UserID
	}
	t.members[c.ID] = append(t.members[c.ID], m)
	if out != "" {
		if t.suspended[c.ID] == nil {
			t.suspended[c.ID] = map[consultation.UserID]int64{}
		}
		if _, known := t.suspended[c.ID][out]; !known {
			t.suspended[c.ID][out] = c.Rev
		}
	}
}

// leaks returns the receipts that break the invariant, and how many texts were received rightly.
func (t *truth) leaks() (leaks []string, right int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for r, moment := range t.received {
		w, known := t.written[r.token]
		switch {
		case !known:
			leaks = append(leaks, fmt.Sprintf("%s has received %s, which was never stored", r.user, r.token))
		case !t.mayHearLocked(r.user, w, moment):
			leaks = append(leaks, fmt.Sprintf("%s has received %s, written to %s at rev %d; members %+v, suspended %v",
				r.user, r.token, w.consultation, w.rev, t.members[w.consultation], t.suspended[w.consultation]))
		default:
			right++
		}
	}
	return leaks, right
}

// mayHearLocked reports whether the user may have received a text at the moment: as a member when it was written, or as
// one who has come since, because queued events go to the members of now.
func (t *truth) mayHearLocked(user consultation.UserID, w written, moment int) bool {
	if from, ok := t.suspended[w.consultation][user]; ok && w.rev > from {
		return false
	}
	var now members
	for _, m := range t.members[w.consultation] {
		if m.rev <= w.rev && m.rev > now.rev {
			now = m
		}
		if m.rev > w.rev && m.begun < moment && m.has(user) {
			return true
		}
	}
	return now.has(user)
}

// errLost stands for a connection that is lost between a commit and its answer.
var errLost = errors.New("audience: the answer was lost")

// suspending is the key of the user, in the context of a suspension.
type suspending struct{}

// recording is a store that tells the truth, and loses and delays answers on demand.
type recording struct {
	store
	truth *truth

	mu         sync.Mutex              // guards what follows
	loseChange bool                    // of the next change
	afterRead  func(c consultation.ID) // called once, between the next read of a consultation and its answer
}

func (s *recording) Create(ctx context.Context, p consultation.CreateParams) (consultation.Consultation, error) {
	begun := s.truth.begin()
	c, err := s.store.Create(ctx, p)
	if err == nil {
		s.truth.changed(c, begun, "")
	}
	return c, err
}

func (s *recording) Consultation(ctx context.Context, id consultation.ID, viewer consultation.UserID) (consultation.Consultation, error) {
	c, err := s.store.Consultation(ctx, id, viewer)
	s.mu.Lock()
	then := s.afterRead
	s.afterRead = nil
	s.mu.Unlock()
	if then != nil {
		then(id)
	}
	return c, err
}

func (s *recording) Change(ctx context.Context, p consultation.ChangeParams) (consultation.Changed, error) {
	begun := s.truth.begin()
	done, err := s.store.Change(ctx, p)
	if err != nil || done.Unchanged {
		return done, err
	}
	s.mu.Lock()
	lost := s.loseChange
	s.loseChange = false
	s.mu.Unlock()
	out, _ := ctx.Value(suspending{}).(consultation.UserID)
	s.truth.changed(done.Consultation, begun, out)
	if lost {
		return consultation.Changed{}, errLost
	}
	return done, nil
}

func (s *recording) Append(ctx context.Context, p chat.AppendParams) (chat.Appended, error) {
	done, err := s.store.Append(ctx, p)
	if err == nil && !done.Replayed {
		s.truth.wrote(p.Content, done.Message.ConsultationID, done.Message.Rev)
	}
	return done, err
}

func (s *recording) Edit(ctx context.Context, p chat.EditParams) (chat.Changed, error) {
	done, err := s.store.Edit(ctx, p)
	if err == nil && !done.Unchanged {
		s.truth.wrote(p.Content, done.Message.ConsultationID, done.Message.Rev)
	}
	return done, err
}
