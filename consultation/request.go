package consultation

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/google/uuid"
)

// RequestParams describes a consultation that a patient asks for.
type RequestParams struct {
	// ID is the id to use, or "" for a new one.
	ID ID
	// Topic is a text by the rules of [ParseText]; 1 to [Options.MaxTopic] characters.
	Topic string
	// Patient is the patient of the consultation. Without By it must be the person whom the host has authenticated, not
	// a name out of the request.
	Patient Participant
	// By is the person who asks; here, and only here, the zero Actor means the patient.
	By Actor
}

// Request stores a consultation in the state REQUESTED. A person asks for their own and needs the role PATIENT, or gets
// [ErrForbidden]; the host asks for any patient. Bad input is an [*InvalidError].
func (s *Service) Request(ctx context.Context, p RequestParams) (Consultation, error) {
	c, _, err := s.RequestOnce(ctx, p, "")
	return c, err
}

// RequestOnce is Request with a key that lets the patient repeat the request: 1 to 64 of [A-Za-z0-9_-], unique for the
// patient for as long as the consultation exists. A repeat returns the consultation as it is now, with replayed, and the
// policy is not asked about it; with another topic it gives [ErrKeyReused]. The consultation's id follows from the
// patient's id and the key, so p.ID must be empty. A key of "" makes every call a new request.
func (s *Service) RequestOnce(ctx context.Context, p RequestParams, key string) (c Consultation, replayed bool, err error) {
	if err := s.checkRequest(&p, key); err != nil {
		return Consultation{}, false, err
	}
	if key != "" {
		c, err := s.requested(ctx, p)
		if !errors.Is(err, ErrNotFound) {
			return c, err == nil, err
		}
	}
	if !p.By.host {
		if err := s.limit(s.requests, Person(p.Patient)); err != nil {
			return Consultation{}, false, err
		}
		if err := s.ask(ctx, ActionRequest, "", Person(p.Patient)); err != nil {
			return Consultation{}, false, err
		}
	}
	c, err = s.store.Create(ctx, CreateParams{ID: p.ID, Topic: p.Topic, Patient: p.Patient})
	if errors.Is(err, ErrExists) && key != "" { // another call with this key was faster
		c, err = s.requested(ctx, p)
		return c, err == nil, err
	}
	if err != nil {
		return Consultation{}, false, err
	}
	s.stats.requested.Add(1)
	return c, false, nil
}

// checkRequest checks the input, brings it into the form that is stored, and chooses the id.
func (s *Service) checkRequest(p *RequestParams, key string) error {
	if err := CheckKey("Idempotency-Key", key); err != nil {
		return err
	}
	switch {
	case key != "" && p.ID != "":
		return &InvalidError{Field: "consultationId", Reason: "must not be given together with a key"}
	case key != "":
		p.ID = keyedID(p.Patient.UserID, key)
	case p.ID == "":
		p.ID = s.opts.NewID()
	}
	if _, err := ParseID(string(p.ID)); err != nil {
		return err
	}
	p.Patient = p.Patient.Clean()
	if err := p.Patient.Validate(); err != nil {
		return err
	}
	var err error
	if p.Topic, err = ParseText("topic", p.Topic, s.opts.MaxTopic); err != nil {
		return err
	}
	if !p.By.host && (p.Patient.Role != RolePatient || (p.By != Actor{} && p.By.person.UserID != p.Patient.UserID)) {
		return ErrForbidden
	}
	return nil
}

// requested returns the consultation of an earlier request with the same key, ErrNotFound if there is none.
func (s *Service) requested(ctx context.Context, p RequestParams) (Consultation, error) {
	c, err := s.store.Consultation(ctx, p.ID, "")
	switch {
	case err != nil:
		return Consultation{}, err
	case c.Patient.UserID != p.Patient.UserID: // the host has chosen this id for another consultation
		return Consultation{}, ErrExists
	case c.Topic != p.Topic:
		return Consultation{}, ErrKeyReused
	}
	return c, nil
}

// maxKey is the longest key of a repeatable request, in bytes.
const maxKey = 64

// CheckKey checks the key of a repeatable request: up to 64 of [A-Za-z0-9_-]; "" is none. The error is an
// [*InvalidError] about the field.
func CheckKey(field, key string) error {
	ok := len(key) <= maxKey
	for i := 0; ok && i < len(key); i++ {
		c := key[i]
		ok = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
	}
	if !ok {
		return &InvalidError{Field: field, Reason: fmt.Sprintf("must be 1 to %d characters out of A-Z a-z 0-9 _ -", maxKey)}
	}
	return nil
}

// keyedID returns the id of the consultation that the patient requests with the key: a UUID of version 8 (RFC 9562, 5.8)
// from a hash, which is the same in every process. Neither a user id nor a key contains a NUL.
func keyedID(patient UserID, key string) ID {
	name := "murph request\x00" + string(patient) + "\x00" + key
	return ID(uuid.NewHash(sha256.New(), uuid.Nil, []byte(name), 8).String())
}
