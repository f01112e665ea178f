package cluster

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
)

// A frame is a version, the node that sends it, its number on that node and shard, records, and a signature over all of
// that and the shard. Whoever reaches the engine without the key can drop frames and repeat old ones, which counts as
// loss, and no more.
const (
	version   = 1
	headSize  = 1 + 8 + 8
	macSize   = 16 // of the 32 bytes of HMAC-SHA256 (RFC 2104, section 5)
	frameCost = headSize + macSize
)

// NodeID names one run of one process. It is random, so a process that starts again is another node.
type NodeID uint64

var (
	errVersion = errors.New("cluster: a frame of another version")
	errFrame   = errors.New("cluster: a frame that no node of this cluster has made")
)

// key makes the key of the signatures from the application's credentials, so that applications that share an engine by
// mistake do not hear each other.
func key(secret, app string) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte("murph cluster\x00" + app))
	return h.Sum(nil)
}

// sealer signs and checks frames. It is for one goroutine.
type sealer struct {
	mac hash.Hash
	sum []byte
}

func newSealer(key []byte) *sealer { return &sealer{mac: hmac.New(sha256.New, key)} }

func (s *sealer) sign(shard uint8, signed []byte) []byte {
	s.mac.Reset()
	s.mac.Write([]byte{shard})
	s.mac.Write(signed)
	s.sum = s.mac.Sum(s.sum[:0])
	return s.sum[:macSize]
}

// begin starts a frame in dst. Records follow, and then seal.
func begin(dst []byte, node NodeID, n uint64) []byte {
	dst = append(dst, version)
	dst = binary.BigEndian.AppendUint64(dst, uint64(node))
	return binary.BigEndian.AppendUint64(dst, n)
}

// seal ends the frame.
func (s *sealer) seal(shard uint8, frame []byte) []byte {
	return append(frame, s.sign(shard, frame)...)
}

// frame is one that has been checked. records points into what was received.
type frame struct {
	node    NodeID
	n       uint64
	records []byte
}

func (s *sealer) open(shard uint8, b []byte) (frame, error) {
	if len(b) > 0 && b[0] != version {
		return frame{}, errVersion
	}
	if len(b) < frameCost {
		return frame{}, errFrame
	}
	signed, mac := b[:len(b)-macSize], b[len(b)-macSize:]
	if !hmac.Equal(mac, s.sign(shard, signed)) {
		return frame{}, errFrame
	}
	return frame{
		node:    NodeID(binary.BigEndian.Uint64(b[1:])),
		n:       binary.BigEndian.Uint64(b[9:]),
		records: signed[headSize:],
	}, nil
}
