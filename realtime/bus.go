package realtime

import "context"

// BusShards is how many shards a [Bus] has: 0 to BusShards-1.
const BusShards = 16

// Bus carries frames between the nodes of a cluster over an engine that the host already runs. It is dumb on purpose: it
// may lose frames and promises no more than the sentences below, because the layer above it counts its frames, notices
// what is missing, and has clients fetch it from the database.
//
// Every method is safe for concurrent use. Run realtimetest.RunBus over an implementation of your own.
type Bus interface {
	// Publish hands frame to the engine for every node that runs, this one included. nil says that it is on its way, not
	// that anybody has received it. What one node publishes to one shard, one call after the other, arrives in that order
	// or not at all, and never twice. While the engine cannot be reached it returns an error instead of keeping the frame
	// for later. It returns an error that matches [ErrTooLarge] for a frame above MaxFrame, and ctx's error once ctx has
	// ended; it never blocks for longer. The frame is not used after the return.
	Publish(ctx context.Context, shard uint8, frame []byte) error
	// Run receives the frames of all nodes and calls h for them until ctx ends, and returns ctx's error; it returns
	// another one only for what trying again cannot mend. It comes back by itself after the engine or the connection was
	// lost, waiting longer from try to try and not at the same moment as other nodes. Nothing is called after it has
	// returned. One Bus is run once at a time.
	Run(ctx context.Context, h BusHandler) error
	// MaxFrame returns the largest frame that Publish takes, in bytes, at least 1,024.
	MaxFrame() int
}

// BusHandler is what [Bus.Run] reports to. Its methods are called one at a time; they return soon, because the bus cannot
// receive meanwhile, and do not call the Bus.
type BusHandler interface {
	// Frame takes one frame, which is the handler's own only until it returns. Whatever reaches the engine can be in it.
	Frame(shard uint8, frame []byte)
	// Up says that what is published from now on arrives here. It comes again each time that the bus has come back.
	Up()
	// Down says that frames may be lost from now on, or have been lost since the last call, until the next Up. It comes
	// once for each Up, and before the first Up when the engine cannot be reached.
	Down(err error)
}
