module github.com/murph-chat/murph/realtime/integration

go 1.25.0

replace (
	github.com/murph-chat/murph => ../..
	github.com/murph-chat/murph/realtime/natsbus => ../natsbus
	github.com/murph-chat/murph/realtime/pgbus => ../pgbus
	github.com/murph-chat/murph/realtime/redisbus => ../redisbus
	github.com/murph-chat/murph/storage/integration => ../../storage/integration
)

require (
	github.com/jackc/pgx/v5 v5.12.0
	github.com/murph-chat/murph v0.0.0-00010101000000-000000000000
	github.com/murph-chat/murph/realtime/natsbus v0.0.0-00010101000000-000000000000
	github.com/murph-chat/murph/realtime/pgbus v0.0.0-00010101000000-000000000000
	github.com/murph-chat/murph/realtime/redisbus v0.0.0-00010101000000-000000000000
	github.com/murph-chat/murph/storage/integration v0.0.0-00010101000000-000000000000
	github.com/nats-io/nats-server/v2 v2.14.5
	github.com/nats-io/nats.go v1.51.0
	github.com/redis/go-redis/v9 v9.18.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/antithesishq/antithesis-sdk-go v0.7.2-default-no-op // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/dgryski/go-rendezvous v0.0.0-20200823014737-9f7001d12a5f // indirect
	github.com/google/go-tpm v0.9.8 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	github.com/klauspost/compress v1.19.2 // indirect
	github.com/minio/highwayhash v1.0.4 // indirect
	github.com/nats-io/jwt/v2 v2.8.2 // indirect
	github.com/nats-io/nkeys v0.4.16 // indirect
	github.com/nats-io/nuid v1.0.1 // indirect
	go.uber.org/atomic v1.11.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/crypto v0.55.0 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/sys v0.47.0 // indirect
	golang.org/x/text v0.41.0 // indirect
	golang.org/x/time v0.15.0 // indirect
	nhooyr.io/websocket v1.8.17 // indirect
)
