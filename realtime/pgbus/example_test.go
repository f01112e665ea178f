package pgbus_test

import (
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/murph-chat/murph/realtime"
	"github.com/murph-chat/murph/realtime/pgbus"
)

func ExampleNew() {
	config, err := pgx.ParseConfig("postgres://app@db:5432/app") // directly to the primary, past any pooler
	if err != nil {
		fmt.Println(err)
		return
	}
	bus, err := pgbus.New(config, &pgbus.Options{Prefix: "clinic"})
	if err != nil {
		fmt.Println(err)
		return
	}
	var _ realtime.Bus = bus // for every node of the cluster
	fmt.Println(bus.MaxFrame())
	// Output: 5888
}
