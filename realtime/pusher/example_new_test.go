package pusher_test

import (
	"context"
	"fmt"
	"log"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/pusher"
	"github.com/murph-chat/murph/storage/memstore"
)

// Hosted Pusher belongs behind a relay: what it does not take waits in the store.
func ExampleNew() {
	hosted, err := pusher.New(pusher.Config{
		AppID: "1", Key: "app-key", Secret: "app-secret", Cluster: "eu",
		Privacy: pusher.PrivacyThin, // the service sees ids and numbers, not what people write
	})
	if err != nil {
		log.Fatal(err)
	}
	store := memstore.New() // a database in earnest
	relay, err := realtime.NewRelay(store, hosted, nil)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- relay.Run(ctx) }()

	messages, err := chat.NewService(store, relay, nil)
	fmt.Println(messages != nil, err)

	stop() // when the program stops, after its HTTP server
	fmt.Println(<-ended)
	// Output:
	// true <nil>
	// <nil>
}
