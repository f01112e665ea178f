package redisbus_test

import (
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/redisbus"
)

func ExampleNew() {
	client := redis.NewClient(&redis.Options{Addr: "redis:6379", Protocol: 2}) // the host's own
	defer func() { _ = client.Close() }()
	bus, err := redisbus.New(client, &redisbus.Options{Prefix: "clinic"})
	if err != nil {
		fmt.Println(err)
		return
	}
	var _ realtime.Bus = bus // for every node of the cluster
	fmt.Println(bus.MaxFrame())
	// Output: 65536
}
