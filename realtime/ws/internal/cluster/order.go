package cluster

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

const (
	confirmTimeout = time.Second
	repeatEvery    = 300 * time.Millisecond
)

var errUnreachable = errors.New("the other nodes cannot be reached")

// order is a command of this node's that others have not all confirmed.
type order struct {
	id      uint64
	payload []byte
	waiting map[NodeID]struct{}
	due     time.Time // when it is sent again
	until   time.Time
	missing int           // nodes that have not confirmed in time
	done    chan struct{} // closed when missing is final
	ended   bool
	reached bool // the bus was up
	command Command
}

func (o *order) confirmed(id NodeID) {
	if _, ok := o.waiting[id]; !ok {
		return
	}
	delete(o.waiting, id)
	if len(o.waiting) == 0 {
		o.end()
	}
}

func (o *order) end() {
	if !o.ended {
		o.ended, o.missing = true, len(o.waiting)
		close(o.done)
	}
}

// Order has every other node carry c out, repeats it until they have confirmed, for a second at most, and returns a
// function that waits for that. It fails when a node has not confirmed, when there is no bus to reach any, or ctx has ended.
func (n *Node) Order(ctx context.Context, c Command) (wait func() error) {
	o := &order{command: c, done: make(chan struct{})}
	unreachable := func() error { return errUnreachable }
	if !n.running.Load() {
		return unreachable
	}
	select {
	case n.orders <- o:
	case <-n.finished:
		return unreachable
	case <-ctx.Done():
	}
	return func() error {
		select {
		case <-o.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		if !o.reached {
			return errUnreachable
		}
		if o.missing > 0 {
			return fmt.Errorf("%d nodes have not confirmed", o.missing)
		}
		return nil
	}
}

// order sends a command out.
func (n *Node) order(o *order) {
	now := time.Now()
	n.lastOrder++
	o.reached = n.up
	o.id, o.due, o.until = n.lastOrder, now.Add(repeatEvery), now.Add(confirmTimeout)
	o.payload = o.command.append(binary.AppendUvarint(nil, o.id))
	o.waiting = make(map[NodeID]struct{}, len(n.peers))
	for id := range n.peers {
		o.waiting[id] = struct{}{}
	}
	n.send.put(record{kind: kindCommand, payload: o.payload}) // also for nodes that are not known yet
	if len(o.waiting) == 0 {
		o.end()
		return
	}
	n.pending[o.id] = o
}

// remind sends again what has not been confirmed, and gives up what has waited too long.
func (n *Node) remind(now time.Time) {
	for id, o := range n.pending {
		if !o.ended && !now.Before(o.until) {
			o.end()
		}
		if o.ended {
			if o.missing > 0 {
				n.logger.Warn("ws: a command was not confirmed by all nodes")
			}
			delete(n.pending, id)
			continue
		}
		if !now.Before(o.due) {
			o.due = now.Add(repeatEvery)
			n.send.put(record{kind: kindCommand, payload: o.payload})
		}
	}
}

// command carries out what p has ordered, once, and confirms it.
func (n *Node) command(p *peer, payload []byte) error {
	r := reader{rest: payload}
	id, c := r.uint(), r.command()
	if err := r.err(); err != nil {
		return err
	}
	if _, again := p.done[id]; !again {
		n.local.Do(c)
		p.remember(id)
	}
	ack := binary.BigEndian.AppendUint64(nil, uint64(p.id))
	ack = binary.AppendUvarint(ack, id)
	n.send.put(record{kind: kindAck, payload: ack})
	return nil
}

// ack is the confirmation of p for an order, which may be another node's.
func (n *Node) ack(p *peer, payload []byte) error {
	if len(payload) < 8 {
		return errRecord
	}
	to := NodeID(binary.BigEndian.Uint64(payload))
	r := reader{rest: payload[8:]}
	id := r.uint()
	if err := r.err(); err != nil || to != n.id {
		return err
	}
	if o := n.pending[id]; o != nil {
		o.confirmed(p.id)
	}
	return nil
}
