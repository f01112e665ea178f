package chat

import (
	"hash/maphash"
	"sync"
)

// maxRepeats is how many keys one generation of repeats knows.
const maxRepeats = 50_000

// repeats remembers the keys of the messages that were stored last, as hashes, so that a repeat is told from a further
// message before the store is asked. It knows at most twice maxRepeats keys, and forgets the oldest.
type repeats struct {
	seed maphash.Seed
	most int // of one generation

	mu         sync.Mutex // guards what follows
	young, old map[uint64]struct{}
}

func newRepeats(most int) *repeats {
	return &repeats{seed: maphash.MakeSeed(), most: most, young: make(map[uint64]struct{})}
}

// hash identifies a send. The content is part of it, so that another text under a known key counts as a further message.
func (r *repeats) hash(p AppendParams) uint64 {
	return maphash.Comparable(r.seed, [4]string{string(p.ConsultationID), string(p.SenderID), p.ClientMessageID, p.Content})
}

// add remembers a send that is stored.
func (r *repeats) add(p AppendParams) {
	if r == nil || p.ClientMessageID == "" {
		return
	}
	h := r.hash(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.young) >= r.most {
		r.old, r.young = r.young, make(map[uint64]struct{})
	}
	r.young[h] = struct{}{}
}

// has reports whether the send is known to be stored.
func (r *repeats) has(p AppendParams) bool {
	if r == nil || p.ClientMessageID == "" {
		return false
	}
	h := r.hash(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	_, young := r.young[h]
	_, old := r.old[h]
	return young || old
}
