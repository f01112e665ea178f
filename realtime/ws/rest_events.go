package ws

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/internal/pusherproto"
)

// Limits of the HTTP API ("HTTP API reference", POST events and batch_events).
const (
	maxEventChannels = 100
	maxBatch         = 10
)

// apiEvent is the body of POST events, and a member of a batch. Data is a pointer to tell an empty text from none.
type apiEvent struct {
	Name     string
	Data     *string
	Channel  string
	Channels []string
	SocketID string
	Info     string
}

// readEvent takes an event from the members of its object. The error says which
// member has another type.
func readEvent(object map[string]json.RawMessage) (ev apiEvent, err error) {
	for _, m := range []struct {
		name  string
		value any
		want  string
	}{
		{"name", &ev.Name, "a string"}, {"data", &ev.Data, "a string; encode other values as JSON first"},
		{"channel", &ev.Channel, "a string"}, {"channels", &ev.Channels, "a list of strings"},
		{"socket_id", &ev.SocketID, "a string"}, {"info", &ev.Info, "a string"},
	} {
		if raw, ok := object[m.name]; ok && json.Unmarshal(raw, m.value) != nil {
			return ev, badRequest("%s must be %s", m.name, m.want)
		}
	}
	return ev, nil
}

// apiTrigger is an event that has been checked.
type apiTrigger struct {
	events []publication // the same for each of its channels
	info   []string
}

func (s *Server) apiEvents(c apiCall) (any, error) {
	object, err := pusherproto.Object(c.body)
	if err != nil {
		return nil, badRequest("The body must be a JSON object with name, data and channels")
	}
	ev, err := readEvent(object)
	if err != nil {
		return nil, err
	}
	if ev.Channel != "" {
		ev.Channels = append(ev.Channels, ev.Channel)
	}
	t, err := ev.check()
	if err != nil {
		return nil, err
	}
	if err := s.trigger(t); err != nil {
		return nil, err
	}
	if t.info == nil {
		return nil, nil
	}
	channels := make(map[realtime.Channel]channelInfo, len(t.events))
	for _, p := range t.events {
		channels[p.channel] = info(p.channel, s.channelState(p.channel), t.info)
	}
	return map[string]any{"channels": channels}, nil
}

// apiBatch publishes all events of a batch, or none if one of them is not acceptable.
func (s *Server) apiBatch(c apiCall) (any, error) {
	var batch []map[string]json.RawMessage
	body, err := pusherproto.Object(c.body)
	if err == nil {
		err = json.Unmarshal(body["batch"], &batch)
	}
	if err != nil || len(batch) == 0 {
		return nil, badRequest("The body must be a JSON object with batch, a list of events with name, data and channel")
	}
	if len(batch) > maxBatch {
		return nil, badRequest("Batch too large: %d events are more than %d", len(batch), maxBatch)
	}
	list := make([]apiTrigger, 0, len(batch))
	asked := false
	for _, object := range batch {
		ev, err := readEvent(object)
		if err != nil {
			return nil, err
		}
		ev.Channels = []string{ev.Channel}
		t, err := ev.check()
		if err != nil {
			return nil, err
		}
		list = append(list, t)
		asked = asked || t.info != nil
	}
	infos := make([]channelInfo, len(list))
	for i, t := range list {
		if err := s.trigger(t); err != nil {
			return nil, err
		}
		ch := t.events[0].channel
		infos[i] = info(ch, s.channelState(ch), t.info)
	}
	if !asked {
		return nil, nil
	}
	return map[string]any{"batch": infos}, nil
}

// apiChannelEvent is the form that SDKs used before events: the body is the data.
func (s *Server) apiChannelEvent(c apiCall) (any, error) {
	data := string(c.body)
	t, err := apiEvent{
		Name: c.params["name"], Data: &data, Channels: []string{c.name}, SocketID: c.params["socket_id"],
	}.check()
	if err != nil {
		return nil, err
	}
	return nil, s.trigger(t)
}

// trigger publishes an event on all of its channels. A node that has left its cluster reaches nobody elsewhere any more.
func (s *Server) trigger(t apiTrigger) error {
	for _, p := range t.events {
		if err := s.publish(p); err != nil {
			return &apiRefusal{http.StatusServiceUnavailable, "This server is shutting down"}
		}
	}
	return nil
}

// check refuses what the hosted service refuses.
func (ev apiEvent) check() (apiTrigger, error) {
	var t apiTrigger
	switch {
	case ev.Data == nil:
		return t, badRequest("The event has no data")
	case len(ev.Channels) == 0:
		return t, badRequest("The event has no channel")
	case len(ev.Channels) > maxEventChannels:
		return t, badRequest("%d channels are more than %d", len(ev.Channels), maxEventChannels)
	}
	p := publication{name: ev.Name, data: *ev.Data}
	if ev.SocketID != "" {
		id, err := realtime.ParseSocketID(ev.SocketID)
		if err != nil {
			return t, badRequest("The socket_id is malformed")
		}
		p.except = id
	}
	seen := make(map[string]struct{}, len(ev.Channels))
	for _, name := range ev.Channels {
		if _, twice := seen[name]; twice {
			continue
		}
		seen[name] = struct{}{}
		p.channel = realtime.Channel(name)
		if err := p.validate(); err != nil {
			return t, refusedEvent(err)
		}
		t.events = append(t.events, p)
	}
	var err error
	t.info, err = apiInfo(ev.Info, attrUserCount, attrSubscriptionCount)
	return t, err
}

// refusedEvent turns what publication.validate says into an answer.
func refusedEvent(err error) error {
	if errors.Is(err, realtime.ErrTooLarge) {
		return &apiRefusal{http.StatusRequestEntityTooLarge, fmt.Sprintf(
			"The data content of this event exceeds the allowed maximum (%d bytes)", realtime.MaxEventData)}
	}
	return badRequest("Invalid event: %s", strings.TrimPrefix(err.Error(), realtime.ErrInvalidEvent.Error()+": "))
}
