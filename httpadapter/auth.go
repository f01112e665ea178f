package httpadapter

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// maxAuthBytes is the limit of the body of an authorisation: a socket id, a channel name, and what a front end adds.
const maxAuthBytes = 8 << 10

// maxMemberInfo leaves room for the user id in the 1 KB that hosted Pusher allows for a member ("Presence channels").
const maxMemberInfo = 800

// authorizeChannel signs the subscription of a connection to a channel of a consultation in which the caller takes part
// (Pusher Channels documentation, "Authorizing users"). It answers exactly 200, because pusher-js takes every other
// status, 201 too, for a refusal.
func (h *Handler) authorizeChannel(c *call) error {
	in, err := h.readForm(c)
	if err != nil {
		return err
	}
	socket, err := in.socket()
	if err != nil {
		return err
	}
	name, err := in.text("channel_name")
	if err != nil {
		return err
	}
	ch, err := realtime.ParseChannel(name)
	if err != nil {
		return invalid("channel_name", "must be a channel name")
	}
	asked, ok := consultation.FromChannel(string(ch))
	if !ok || !h.cfg.Transport.handsOut(asked.Kind) {
		return errForeignChannel
	}
	checked := time.Now() // a revocation after this moment outdates the grant
	found, err := inTurn(c.r.Context(), h.admission, func() (consultation.Consultation, error) {
		return h.cfg.Consultations.Get(c.r.Context(), asked.ID, c.who.UserID)
	})
	if errors.Is(err, consultation.ErrNotFound) {
		return errForeignChannel
	}
	if err != nil {
		return err
	}
	if err := h.authenticateAgain(c); err != nil {
		return err
	}
	// The others see the name that stands beside the messages, whatever the session says by now.
	who, ok := found.Participant(c.who.UserID)
	if !ok || asked.Audience != h.cfg.Transport.audience(found) {
		return errForeignChannel
	}
	member, err := newMember(who)
	if err != nil {
		return err
	}
	member.Audience, member.CheckedAt = found.Audience().String(), checked
	grant, err := h.cfg.Signer.SignChannel(socket, ch, &member)
	if err != nil {
		return fmt.Errorf("httpadapter: sign channel: %w", err)
	}
	return answer(c, http.StatusOK, grant)
}

// authenticateUser signs a connection in as the caller (Pusher Channels documentation, "Authenticating users").
func (h *Handler) authenticateUser(c *call) error {
	in, err := h.readForm(c)
	if err != nil {
		return err
	}
	socket, err := in.socket()
	if err != nil {
		return err
	}
	if err := h.authenticateAgain(c); err != nil {
		return err
	}
	member, err := newMember(c.who)
	if err != nil {
		return err
	}
	grant, err := h.cfg.Signer.SignUser(socket, member)
	if err != nil {
		return fmt.Errorf("httpadapter: sign user: %w", err)
	}
	return answer(c, http.StatusOK, grant)
}

// form is the input of an authorisation.
type form url.Values

// readForm reads what pusher-js sends, a form, or the same as a JSON object, which handlers of a host's own prefer.
func (h *Handler) readForm(c *call) (form, error) {
	limit := min(maxAuthBytes, h.cfg.MaxRequestBytes)
	switch mediaType(c.r) {
	case typeForm:
		if c.r.PostForm != nil { // middleware of the host has read the body, as those against CSRF do
			return form(c.r.PostForm), nil
		}
		body, err := readBody(c, limit)
		if err != nil {
			return nil, err
		}
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, invalid("body", "must be a well-formed form")
		}
		return form(values), nil
	case typeJSON:
		body, err := readBody(c, limit)
		if err != nil {
			return nil, err
		}
		o, err := parseObject(body)
		if err != nil {
			return nil, err
		}
		f := form{}
		for _, name := range [...]string{"socket_id", "channel_name"} {
			s, err := o.text(name)
			if err != nil {
				return nil, err
			}
			f[name] = []string{s}
		}
		return f, nil
	}
	return nil, errMediaType
}

// text returns a field that must be given once.
func (f form) text(name string) (string, error) {
	if len(f[name]) != 1 || f[name][0] == "" {
		return "", invalid(name, "must be given once")
	}
	return f[name][0], nil
}

func (f form) socket() (realtime.SocketID, error) {
	s, err := f.text("socket_id")
	if err != nil {
		return "", err
	}
	id, err := realtime.ParseSocketID(s)
	if err != nil {
		return "", invalid("socket_id", "must be two numbers with a dot between")
	}
	return id, nil
}

// newMember describes a person to a presence channel. What does not fit the transport's limit is left out, the picture
// first: being present matters more than looking good.
func newMember(p consultation.Participant) (realtime.Member, error) {
	type info struct {
		Role      consultation.Role `json:"role"`
		FirstName string            `json:"firstName"`
		LastName  string            `json:"lastName"`
		Image     string            `json:"image,omitempty"`
	}
	member := realtime.Member{UserID: string(p.UserID)}
	for _, in := range [...]info{
		{p.Role, p.FirstName, p.LastName, p.Image},
		{p.Role, p.FirstName, p.LastName, ""},
		{Role: p.Role},
	} {
		b, err := json.Marshal(in)
		if err != nil {
			return realtime.Member{}, fmt.Errorf("httpadapter: encode member: %w", err)
		}
		member.Info = b
		if len(b) <= maxMemberInfo {
			break
		}
	}
	return member, nil
}
