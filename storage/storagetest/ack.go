package storagetest

import (
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

func (e *env) ack(ids ...int64) {
	e.Helper()
	if err := e.store.Ack(e.ctx, ids...); err != nil {
		e.Fatalf("Ack: %v", err)
	}
}

func (e *env) ackThrough(id consultation.ID, rev int64) {
	e.Helper()
	if err := e.store.AckThrough(e.ctx, consultation.Channel(id, 1), rev); err != nil {
		e.Fatalf("AckThrough: %v", err)
	}
}

func ackCases() []testCase {
	return []testCase{{
		name:     "ack/ids",
		contract: outbox,
		clauses:  says("Ack removes entries; ids that do not exist are ignored."),
		run: func(e *env) {
			e.start(room)
			ids := entriesOf(e.enqueue(room, 4, 0))
			e.claims("of all", 10, ids...)
			e.ack(ids[0], ids[2])
			e.pending("after two were acknowledged", 2, 0)
			e.ack(ids[0], ids[3]+1_000, 0, -1)
			e.ack()
			e.pending("after unknown ids", 2, 0)
			leased := entriesOf(e.enqueue(room, 1, forever))
			e.ack(ids[1], ids[3], leased[0])
			e.pending("after all were acknowledged", 0, 0)
			e.claims("after all were acknowledged", 10)
		},
	}, {
		name:     "ack/many",
		contract: outbox,
		clauses:  says("Ack removes entries; ids that do not exist are ignored."),
		run: func(e *env) {
			e.start(room)
			ids := entriesOf(e.enqueue(room, 3, 0))
			many := make([]int64, 0, 1_003)
			for i := range int64(1_000) {
				many = append(many, ids[2]+100+i)
			}
			e.ack(append(many, ids...)...)
			e.pending("after an Ack of 1,003 ids", 0, 0)
		},
	}, {
		name:     "ack/through",
		contract: outbox,
		clauses: says("AckThrough removes every entry of the channel whose rev is at most rev, leased or not, because a Resync "+
			"that was published has covered them.", "Parked entries and those with Left stay."),
		run: func(e *env) {
			e.start(room)
			e.start("room-2") // its name has the other's as a prefix
			all := e.enqueue(room, 6, 0)
			ids := entriesOf(all)
			foreign := entriesOf(e.enqueue("room-2", 2, 0))
			e.nack(realtime.NackParams{IDs: ids[:1], Park: true, Reason: "poison"})
			e.claims("of two", 2, ids[1], ids[2])
			e.ackThrough(room, all[0].Message.Rev-1)
			e.pending("after AckThrough a rev that no entry has", 7, 1)
			e.ackThrough("unknown", 1_000)
			e.pending("after AckThrough of an unknown channel", 7, 1)
			e.ackThrough(room, all[3].Message.Rev)
			e.pending("after AckThrough the fourth", 4, 1)
			e.claims("after AckThrough the fourth", 10, ids[4], ids[5], foreign[0], foreign[1])
			e.ackThrough(room, 1_000)
			e.pending("after AckThrough all", 2, 1)
		},
	}, {
		name:     "ack/through-status",
		contract: outbox,
		clauses:  says("AckThrough removes every entry of the channel whose rev is at most rev, leased or not", "Parked entries and those with Left stay."),
		run: func(e *env) {
			e.create(room)
			for _, ch := range []consultation.Change{accept(room, student), reassign(room, other), cancel(room)} {
				if _, err := e.store.Change(e.ctx, consultation.ChangeParams{Change: ch, Enqueue: &realtime.Enqueue{}}); err != nil {
					e.Fatal(err)
				}
			}
			e.pending("of three changes", 5, 0)
			e.ackThrough(room, 2)
			e.pending("after AckThrough the first", 3, 0)
			e.ackThrough(room, 4)
			e.pending("after AckThrough all", 1, 0)
			if entry := e.entry(); len(entry.Left) != 1 {
				e.Errorf("the entry that AckThrough has left is %+v, want one with Left", entry)
			}
		},
	}}
}
