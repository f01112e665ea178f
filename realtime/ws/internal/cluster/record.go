package cluster

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"math"

	"github.com/murph-chat/murph/realtime"
)

// kind says what a record is. Nodes skip kinds that they do not know, so that those of two versions can run side by
// side; a number is never used again for something else.
type kind byte

const (
	kindPart      kind = 1  // a piece of a record that does not fit into a frame
	kindLastPart  kind = 2  // its last piece
	kindEvent     kind = 3  // for the subscribers of a channel
	kindHeartbeat kind = 4  // the node lives, and how far it has counted
	kindHello     kind = 5  // tell me who is on your node
	kindSnapshot  kind = 6  // the beginning of an answer to that: states follow
	kindState     kind = 7  // of one channel
	kindEnd       kind = 8  // of a snapshot
	kindCommand   kind = 9  // to be done and confirmed
	kindAck       kind = 10 // it is done
	kindLeave     kind = 11 // the node goes
	kindWake      kind = 12 // somebody has left something in the outbox
)

var errRecord = errors.New("cluster: a malformed record")

// appendRecord appends one record: its length, the kind, the payload.
func appendRecord(dst []byte, k kind, payload []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(1+len(payload)))
	return append(append(dst, byte(k)), payload...)
}

// recordSize is what appendRecord appends, at most.
func recordSize(payload int) int { return binary.MaxVarintLen32 + 1 + payload }

// nextRecord takes the first record off b.
func nextRecord(b []byte) (k kind, payload, rest []byte, err error) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size == 0 || size > uint64(len(b)-n) {
		return 0, nil, nil, errRecord
	}
	b = b[n:]
	return kind(b[0]), b[1:size], b[size:], nil
}

// Event is on its way to the subscribers of a channel on all nodes.
type Event struct {
	Channel realtime.Channel
	Except  realtime.SocketID // or ""
	// Message is what they are sent.
	Message []byte
	// Name and Data are of an event on a channel that remembers its last one; Message is empty then.
	Name, Data string
	// Audience holds the ids of the users who may get it, or is empty for all
	// subscribers; see realtime.Event.
	Audience string
}

func (e Event) append(dst []byte) []byte {
	dst = appendText(dst, e.Channel)
	dst = appendText(dst, e.Except)
	dst = appendText(dst, e.Message)
	if len(e.Message) == 0 {
		dst = appendText(dst, e.Name)
		dst = appendText(dst, e.Data)
	}
	return appendText(dst, e.Audience)
}

func parseEvent(b []byte) (Event, error) {
	r := reader{rest: b}
	e := Event{Channel: realtime.Channel(r.text()), Except: realtime.SocketID(r.text()), Message: []byte(r.text())}
	if len(e.Message) == 0 {
		e.Name, e.Data = r.text(), r.text()
	}
	e.Audience = r.text()
	return e, r.err()
}

// State is what a node says of one channel: how many of its connections are subscribed, and on a presence channel who
// these are. Gone are users who are no longer there; the users that are in neither stay as they were.
type State struct {
	Channel realtime.Channel
	Count   int
	Users   map[string]json.RawMessage
	Gone    []string
}

func (s State) append(dst []byte) []byte {
	dst = appendText(dst, s.Channel)
	dst = binary.AppendUvarint(dst, uint64(s.Count))
	dst = binary.AppendUvarint(dst, uint64(len(s.Users)))
	for id, info := range s.Users {
		dst = appendText(appendText(dst, id), info)
	}
	dst = binary.AppendUvarint(dst, uint64(len(s.Gone)))
	for _, id := range s.Gone {
		dst = appendText(dst, id)
	}
	return dst
}

// pieces splits a state of many users into several, none of which is much larger than maxPiece. Put together one after
// the other they are the state again.
func (s State) pieces() []State {
	var all []State
	next, size := State{Channel: s.Channel, Count: s.Count}, 0
	for id, info := range s.Users {
		if size += len(id) + len(info); size > maxPiece && len(next.Users) > 0 {
			all = append(all, next)
			next, size = State{Channel: s.Channel, Count: s.Count}, len(id)+len(info)
		}
		if next.Users == nil {
			next.Users = make(map[string]json.RawMessage)
		}
		next.Users[id] = info
	}
	next.Gone = s.Gone
	return append(all, next)
}

// join adds another piece.
func (s *State) join(piece State) {
	if s.Users == nil {
		s.Users = make(map[string]json.RawMessage, len(piece.Users))
	}
	maps.Copy(s.Users, piece.Users)
}

// maxPiece is how many bytes of users go into one record.
const maxPiece = 64 << 10

func parseState(b []byte) (State, error) {
	r := reader{rest: b}
	s := State{Channel: realtime.Channel(r.text()), Count: r.count()}
	for range r.many() {
		if s.Users == nil {
			s.Users = make(map[string]json.RawMessage)
		}
		id, info := r.text(), r.text()
		if len(info) > 0 && !json.Valid([]byte(info)) {
			return State{}, errRecord
		}
		s.Users[id] = json.RawMessage(info)
	}
	for range r.many() {
		s.Gone = append(s.Gone, r.text())
	}
	return s, r.err()
}

// Command is an order that every node carries out.
type Command struct {
	// CloseUser is the user to terminate, or "".
	CloseUser string
	// Revoke holds the channels to which only the users in Keep may listen from
	// now on, and Rev the version of that list; see realtime.Revocation.
	Revoke []realtime.Channel
	Keep   []string
	Rev    int64
}

func (c Command) append(dst []byte) []byte {
	dst = appendText(dst, c.CloseUser)
	dst = appendTexts(dst, c.Revoke)
	dst = appendTexts(dst, c.Keep)
	return binary.AppendVarint(dst, c.Rev)
}

func (r *reader) command() Command {
	c := Command{CloseUser: r.text()}
	for range r.many() {
		c.Revoke = append(c.Revoke, realtime.Channel(r.text()))
	}
	for range r.many() {
		c.Keep = append(c.Keep, r.text())
	}
	c.Rev = r.int()
	return c
}

func appendTexts[T ~string](dst []byte, list []T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	for _, s := range list {
		dst = appendText(dst, s)
	}
	return dst
}

func appendText[T ~string | ~[]byte](dst []byte, s T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// reader takes a payload apart. What follows the fields that it is asked for is of a later version and is ignored.
type reader struct {
	rest []byte
	bad  bool // something was malformed: all that is read from then on is empty
}

func (r *reader) err() error {
	if r.bad {
		return errRecord
	}
	return nil
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || r.bad {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 || r.bad {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// count reads a number of things that are elsewhere.
func (r *reader) count() int { return int(min(r.uint(), math.MaxInt32)) }

// many reads the length of a list. Each of its members takes at least one byte.
func (r *reader) many() int {
	n := r.uint()
	if n > uint64(len(r.rest)) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *reader) node() NodeID {
	if len(r.rest) < 8 {
		r.bad = true
		return 0
	}
	id := NodeID(binary.BigEndian.Uint64(r.rest))
	r.rest = r.rest[8:]
	return id
}

func (r *reader) text() string {
	n := r.many()
	if r.bad {
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}
