package ws

import (
	"slices"

	"github.com/murph-chat/murph/realtime"
)

// group holds the events of a batch for one channel.
type group struct {
	channel   realtime.Channel
	frames    [][]byte
	excepts   []realtime.SocketID // of the frames
	audiences []string            // of the frames, or nothing when no frame has an audience
	moments   []moment            // of the frames
	anyone    bool                // no frame has an exception or an audience
	bytes     int
}

// restrict sets the audience of the last frame.
func (g *group) restrict(audience string) {
	for len(g.audiences) < len(g.frames)-1 {
		g.audiences = append(g.audiences, "") // of the frames in front of it
	}
	g.audiences = append(g.audiences, audience)
	g.anyone = false
}

// restricted reports whether some frame has an audience.
func (g *group) restricted() bool { return len(g.audiences) > 0 }

// excludes reports whether some frame may not be for the connection.
func (g *group) excludes(id realtime.SocketID) bool {
	return g.restricted() || slices.Contains(g.excepts, id)
}
