package pusher_test

import (
	"fmt"

	"github.com/murph-chat/murph/realtime/pusher"
)

func ExampleConfigFromEnv() {
	_, err := pusher.ConfigFromEnv(func(name string) (string, bool) {
		return "1", name == "PUSHER_APP_ID"
	})
	fmt.Println(err)
	// Output: pusher: missing in the environment: NEXT_PUBLIC_PUSHER_KEY, PUSHER_SECRET, NEXT_PUBLIC_PUSHER_CLUSTER
}
