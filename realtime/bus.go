package realtime

import "context"

// BusShards is how many shards a [Bus] has: 0 to BusShards-1.
const BusShards = 16

// Bus carries frames between the nodes of a cluster over an engine that the
// host already runs. It is dumb on purpose: the layer above it seals and
// numbers the frames, notices a loss, and has clients fetch from the database.
//
// A bus may lose, repeat and reorder frames, and it authenticates nothing.
//
// Every method is safe for concurrent use. Run realtimetest.RunBus over an
// implementation of your own.
type Bus interface {
	// Publish hands frame to the engine for every node that runs under the same
	// name, this one included. nil says that the frame is on its way, not that
	// any node has received it. While the bus does not run, or the engine
	// cannot be reached, it returns an error instead of keeping the frame for
	// later. It returns an error that matches [ErrTooLarge] for a frame above
	// MaxFrame, and ctx's error once ctx has ended; it never blocks for longer.
	// The frame is not used after the return.
	Publish(ctx context.Context, shard uint8, frame []byte) error
	// Run receives the frames of all nodes that run under name and calls h for
	// them until ctx ends, and returns ctx's error; it returns another one only
	// for what trying again cannot mend. It comes back by itself after the
	// engine or the connection was lost, waiting longer from try to try and not
	// at the same moment as other nodes. Nothing is called after it has
	// returned. One Bus is run once at a time.
	//
	// Nodes under different names do not hear each other. A name is 1 to 32
	// lower-case letters and digits. It is derived from a secret, so the bus
	// makes the engine's channel or subject from it and writes it to no log or
	// error.
	Run(ctx context.Context, name string, h BusHandler) error
	// MaxFrame returns the largest frame that Publish takes, in bytes, at least 1,024.
	MaxFrame() int
}

// BusHandler receives what [Bus.Run] reports. Its methods are called one at a
// time; they return soon, because the bus cannot receive meanwhile, and do not
// call the Bus.
type BusHandler interface {
	// Frame takes one frame, which is the handler's own only until it returns.
	// A frame can hold anything that others have written to the engine.
	Frame(shard uint8, frame []byte)
	// Up says that what is published from now on arrives here. It comes again each time that the bus has come back.
	Up()
	// Down says that frames may be lost from now on, or have been lost since the last call, until the next Up. It comes
	// once for each Up, and before the first Up when the engine cannot be reached.
	Down(err error)
}
