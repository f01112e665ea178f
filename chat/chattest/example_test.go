package chattest_test

import (
	"fmt"
	"log"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/chat/chattest"
	"github.com/murph-chat/murph/consultation"
)

// A log that has received an event twice shows the message once, and knows that it has not fetched anything yet.
func ExampleNewLog() {
	copied := chattest.NewLog("demo")
	sent := chat.Message{ID: "m1", ConsultationID: "demo", SenderID: "paula", Content: "Guten Tag", Seq: 3, Rev: 3,
		CreatedAt: time.Now(), Sender: consultation.Participant{UserID: "paula", Role: consultation.RolePatient}}
	ev, err := chat.MessageEvent(chat.EventNewMessage, sent, consultation.Audience{}, "")
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		if err := copied.Apply(ev); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(len(copied.Messages()), copied.Behind())
	// Output: 1 true
}
