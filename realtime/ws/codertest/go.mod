module github.com/murph-chat/murph/realtime/ws/codertest

go 1.25.0

replace github.com/murph-chat/murph => ../../..

require (
	github.com/coder/websocket v1.8.15
	github.com/murph-chat/murph v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
)

require (
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.55.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	nhooyr.io/websocket v1.8.17 // indirect
)
