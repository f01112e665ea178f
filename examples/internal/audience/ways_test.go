package audience

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/memstore"
)

const room = consultation.ID("room-0")

var next = person("student-2")

// scene is a consultation of patient-1 and student-1, each with a connection that is subscribed.
type scene struct {
	*schedule
	ctx     context.Context
	patient *client
	former  *client // of the student who is going to be replaced
}

func newScene(t *testing.T, kind transportKind, processes int) *scene {
	t.Helper()
	s := &scene{ctx: t.Context(), schedule: &schedule{world: newWorld(t, memstore.New(), kind, processes), kind: kind}}
	t.Cleanup(func() {
		for _, c := range s.clients {
			c.close()
		}
	})
	first, last := s.processes[0], s.processes[processes-1]
	patient := person("patient-1")
	_, err := first.consultations.Request(s.ctx, consultation.RequestParams{ID: room, Topic: "x", Patient: patient})
	require.NoError(t, err)
	student := person("student-1")
	_, err = first.consultations.Accept(s.ctx, consultation.TransitionParams{ID: room, By: consultation.Host(), Student: &student})
	require.NoError(t, err)
	s.patient, s.former = s.client(s.ctx, first, "patient-1"), s.client(s.ctx, last, "student-1")
	s.follow(s.ctx, s.patient, room)
	s.follow(s.ctx, s.former, room)
	return s
}

func (s *scene) replace(p *process) error {
	_, err := p.consultations.Reassign(s.ctx, consultation.TransitionParams{ID: room, By: consultation.Host(), Student: &next})
	return err
}

// requireSilence sends a text from each process and checks that the former student does not receive it, and that the
// patient does, whose page has moved.
func (s *scene) requireSilence() {
	s.t.Helper()
	s.follow(s.ctx, s.patient, room)
	for _, c := range s.clients {
		c.sync(s.ctx) // its subscriptions count from here
	}
	for _, p := range s.processes {
		_, err := p.messages.Send(s.ctx, chat.SendParams{ConsultationID: room, SenderID: "patient-1", Content: s.truth.token()})
		require.NoError(s.t, err)
	}
	s.settle(s.ctx)
	for {
		leaks, right := s.truth.leaks()
		require.Empty(s.t, leaks)
		if right > 0 { // the patient has received a text
			break
		}
		select {
		case <-s.truth.arrived:
		case <-s.ctx.Done():
			s.t.Fatal("the patient has received nothing")
		}
	}
	s.settle(s.ctx)
	leaks, _ := s.truth.leaks()
	require.Empty(s.t, leaks)
}

func TestReplacedStudentOverHostedPusher(t *testing.T) {
	t.Parallel()
	s := newScene(t, overPusher, 1)
	require.NoError(t, s.replace(s.processes[0]))
	s.requireSilence()
}

func TestReplacedStudentOnASecondProcessWithoutABus(t *testing.T) {
	t.Parallel()
	s := newScene(t, overWS, 2)
	require.NoError(t, s.replace(s.processes[0]))
	s.requireSilence()
}

func TestReplacedStudentAfterAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	for _, kind := range []transportKind{overWS, overPusher} {
		s := newScene(t, kind, 1)
		s.store.loseChange = true
		require.ErrorIs(t, s.replace(s.processes[0]), errLost)
		s.requireSilence()
	}
}

func TestReplacedStudentWithAGrantFromAnOldRead(t *testing.T) {
	t.Parallel()
	for _, kind := range []transportKind{overWS, overPusher} {
		s := newScene(t, kind, 1)
		s.authorizeLate(s.ctx, s.former, room, s.processes[0], next)
		s.requireSilence()
	}
}

func TestReplacedStudentsOfOverlappingReassignments(t *testing.T) {
	t.Parallel()
	for _, kind := range []transportKind{overWS, overPusher} {
		s := newScene(t, kind, 1)
		require.NoError(t, s.replace(s.processes[0]))
		between := s.client(s.ctx, s.processes[0], next.UserID)
		s.follow(s.ctx, between, room)
		third := person("student-3")
		_, err := s.processes[0].consultations.Reassign(s.ctx, consultation.TransitionParams{ID: room, By: consultation.Host(), Student: &third})
		require.NoError(t, err)
		s.requireSilence()
	}
}

func TestSuspendedStudent(t *testing.T) {
	t.Parallel()
	for _, kind := range []transportKind{overWS, overPusher} {
		s := newScene(t, kind, 1)
		require.NoError(t, s.suspend(s.ctx, s.processes[0], "student-1"))
		s.requireSilence()
	}
}
