module github.com/murph-chat/murph/httpadapter/openapitest

go 1.25.0

replace github.com/murph-chat/murph => ../..

require (
	github.com/getkin/kin-openapi v0.153.0
	github.com/murph-chat/murph v0.0.0
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/go-openapi/jsonpointer v0.22.5 // indirect
	github.com/go-openapi/swag/jsonname v0.25.5 // indirect
	github.com/google/uuid v1.6.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	go.yaml.in/yaml/v4 v4.0.0 // indirect
	golang.org/x/crypto v0.55.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.41.0 // indirect
	nhooyr.io/websocket v1.8.17 // indirect
)
