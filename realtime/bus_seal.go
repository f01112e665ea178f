package realtime

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"sync"
)

// BusSealSize is how many bytes [BusSeal] adds to a frame.
const BusSealSize = 18

// busSealVersion is the first byte of what a BusSeal makes.
const busSealVersion = 1

// maxBusSenders is how many senders a BusSeal remembers. Of more it forgets the one that it has heard the longest ago.
const maxBusSenders = 1024

// BusSeal is for those who write a [Bus]. Clients of engines repeat by themselves what they are not sure of, and what was
// written to a connection that is given up arrives when something newer has come on the next one. A BusSeal numbers what
// a bus publishes, and drops what it receives twice or after something newer, so that the bus keeps its promise about
// order. It is no protection from others with access to the engine: nothing is signed.
//
// The numbers count for all shards together: who seals has to publish in that order. Use [NewBusSeal]. Both methods are
// safe for concurrent use.
type BusSeal struct {
	sender [8]byte

	mu      sync.Mutex // guards what follows
	n       uint64
	clock   uint64 // counts what was opened
	senders map[[8]byte]*busSender
}

type busSender struct{ n, heard uint64 }

// NewBusSeal makes the seal of one bus, with a random name for it.
func NewBusSeal() *BusSeal {
	s := &BusSeal{senders: map[[8]byte]*busSender{}}
	_, _ = rand.Read(s.sender[:]) // it does not fail
	return s
}

// Seal appends the shard, the name of the bus, the next number and frame to dst. What it returns is for [BusSeal.Open].
func (s *BusSeal) Seal(dst []byte, shard uint8, frame []byte) []byte {
	s.mu.Lock()
	s.n++
	n := s.n
	s.mu.Unlock()
	dst = append(dst, busSealVersion, shard)
	dst = append(dst, s.sender[:]...)
	dst = binary.BigEndian.AppendUint64(dst, n)
	return append(dst, frame...)
}

// Open takes apart what Seal of any bus has made; frame is a part of sealed. It reports false for what is no such thing,
// and for what was opened before or is older than what was opened before from the same bus.
func (s *BusSeal) Open(sealed []byte) (shard uint8, frame []byte, ok bool) {
	if len(sealed) < BusSealSize || sealed[0] != busSealVersion || sealed[1] >= BusShards {
		return 0, nil, false
	}
	name, n := [8]byte(sealed[2:10]), binary.BigEndian.Uint64(sealed[10:BusSealSize])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock++
	sender := s.senders[name]
	if sender == nil {
		sender = s.add(name)
	}
	if n <= sender.n {
		return 0, nil, false
	}
	sender.n, sender.heard = n, s.clock
	return sealed[1], sealed[BusSealSize:], true
}

// add makes room for a sender that has not been heard before. s.mu is held.
func (s *BusSeal) add(name [8]byte) *busSender {
	if len(s.senders) >= maxBusSenders {
		oldest, heard := name, uint64(math.MaxUint64)
		for other, sender := range s.senders {
			if sender.heard < heard {
				oldest, heard = other, sender.heard
			}
		}
		delete(s.senders, oldest)
	}
	sender := &busSender{heard: s.clock}
	s.senders[name] = sender
	return sender
}
