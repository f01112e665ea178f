module github.com/murph-chat/murph/realtime/natsbus

go 1.25.0

replace github.com/murph-chat/murph => ../..

require (
	github.com/murph-chat/murph v0.0.0-00010101000000-000000000000
	github.com/nats-io/nats.go v1.51.0
)

require (
	github.com/klauspost/compress v1.18.5 // indirect
	github.com/nats-io/nkeys v0.4.15 // indirect
	github.com/nats-io/nuid v1.0.1 // indirect
	golang.org/x/crypto v0.55.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
)
