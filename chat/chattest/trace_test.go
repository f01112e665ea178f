package chattest_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/chat/chattest"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// trace is a file in testdata/traces: what reaches a client, in this order, and what it has to have made of it. The
// reducer of the page in examples/murph/web reads the same files.
type trace struct {
	What           string          `json:"what"`
	Me             string          `json:"me"`
	ConsultationID consultation.ID `json:"consultationId"`
	Steps          []step          `json:"steps"`
}

// step has one of its fields.
type step struct {
	Page    *tracePage      `json:"page"` // the first answer
	Event   *traceEvent     `json:"event"`
	Sent    json.RawMessage `json:"sent"` // the answer to a send of one's own
	Changes *answered       `json:"changes"`
	Older   *answered       `json:"older"`
	Expect  *expectation    `json:"expect"`
}

type traceEvent struct {
	Name string          `json:"name"`
	Data json.RawMessage `json:"data"`
}

// answered is an answer and what was asked; the cursors are for clients that check them.
type answered struct {
	Since  int64     `json:"since"`
	Epoch  string    `json:"epoch"`
	Before int64     `json:"before"`
	Answer tracePage `json:"answer"`
}

// tracePage is a page as the HTTP interface answers it.
type tracePage struct {
	Consultation consultation.Consultation             `json:"consultation"`
	Messages     []chat.Message                        `json:"messages"`
	HasMore      bool                                  `json:"hasMore"`
	Rev          int64                                 `json:"rev"`
	Epoch        string                                `json:"epoch"`
	Read         map[consultation.UserID]chat.ReadMark `json:"read"`
	NextSince    int64                                 `json:"nextSince"`
	Reset        bool                                  `json:"reset"`
}

func (p tracePage) page() chat.Page {
	return chat.Page{Consultation: p.Consultation, Epoch: p.Epoch, Messages: p.Messages, HasMore: p.HasMore, Reads: p.Read}
}

// expectation leaves out what does not matter.
type expectation struct {
	Rev      int64                         `json:"rev"`
	Messages []string                      `json:"messages"`
	Behind   *bool                         `json:"behind"`
	Floor    *int64                        `json:"floor"`
	Read     map[consultation.UserID]int64 `json:"read"`
	Epoch    string                        `json:"epoch"`
	Status   consultation.Status           `json:"status"`
	Student  consultation.UserID           `json:"student"`
}

func TestTraces(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("testdata", "traces", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			var tr trace
			decoder := json.NewDecoder(bytes.NewReader(data))
			decoder.DisallowUnknownFields()
			require.NoError(t, decoder.Decode(&tr))
			log := chattest.NewLog(tr.ConsultationID)
			for i, s := range tr.Steps {
				s.play(t, log, tr.ConsultationID)
				if s.Expect != nil {
					s.Expect.check(t, i, log)
				}
			}
		})
	}
}

func (s step) play(t *testing.T, log *chattest.Log, id consultation.ID) {
	t.Helper()
	event := s.Event
	if s.Sent != nil { // the answer to a send tells what its event tells
		event = &traceEvent{Name: chat.EventNewMessage, Data: s.Sent}
	}
	switch {
	case s.Page != nil:
		log.Merge(chat.Changes{Page: s.Page.page(), NextSince: s.Page.Rev, Reset: true})
		settled := chat.Page{Consultation: s.Page.Consultation, Epoch: s.Page.Epoch}
		log.Merge(chat.Changes{Page: settled, NextSince: s.Page.Rev})
	case event != nil:
		ev := realtime.Event{Channel: consultation.Channel(id, 1), Name: event.Name, Data: event.Data}
		require.NoError(t, log.Apply(ev))
	case s.Changes != nil:
		a := s.Changes.Answer
		log.Merge(chat.Changes{Page: a.page(), NextSince: a.NextSince, Reset: a.Reset})
	case s.Older != nil:
		log.Prepend(s.Older.Answer.page())
	}
}

func (e expectation) check(t *testing.T, step int, log *chattest.Log) {
	t.Helper()
	shown := []string{}
	for _, m := range log.Messages() {
		shown = append(shown, m.Content)
	}
	require.Equal(t, e.Messages, shown, "step %d", step)
	require.Equal(t, e.Rev, log.Rev(), "step %d", step)
	if e.Behind != nil {
		require.Equal(t, *e.Behind, log.Behind(), "step %d", step)
	}
	if e.Floor != nil {
		require.Equal(t, *e.Floor, log.Floor(), "step %d", step)
	}
	for user, seq := range e.Read {
		require.Equal(t, seq, log.Read(user), "step %d", step)
	}
	if e.Epoch != "" {
		require.Equal(t, e.Epoch, log.Epoch(), "step %d", step)
	}
	if e.Status != "" {
		require.Equal(t, e.Status, log.Header().Status, "step %d", step)
	}
	if e.Student != "" {
		require.Equal(t, e.Student, log.Header().Student.UserID, "step %d", step)
	}
}
