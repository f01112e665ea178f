package pgbus

import "time"

// MaxPayload is how many characters a payload has at most.
const MaxPayload = maxPayload

// Encode makes the payload of frames that are on one shard.
func Encode(shard uint8, frames ...[]byte) string {
	var packed []byte
	for _, f := range frames {
		packed = pack(packed, shard, f)
	}
	return encode(packed)
}

// Decode calls frame for each frame of a payload.
func Decode(payload string, frame func(shard uint8, frame []byte)) {
	for _, f := range decode(payload) {
		frame(f.shard, f.frame)
	}
}

// Unpack is unpack without its types.
func Unpack(packed []byte, frame func(shard uint8, frame []byte)) bool {
	frames, ok := unpack(packed)
	for _, f := range frames {
		frame(f.shard, f.frame)
	}
	return ok
}

// Crowd is a crowd.
type Crowd struct{ c crowd }

// Note is note.
func (c *Crowd) Note(pid uint32, now time.Time) { c.c.note(pid, now) }

// Size is size.
func (c *Crowd) Size(now time.Time) int { return c.c.size(now) }
