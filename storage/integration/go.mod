module github.com/murph-chat/murph/storage/integration

go 1.25.0

replace github.com/murph-chat/murph => ../..

require (
	github.com/jackc/pgx/v5 v5.12.0
	github.com/murph-chat/murph v0.0.0-00010101000000-000000000000
	github.com/stretchr/testify v1.12.1
	github.com/uptrace/bun v1.3.0
	github.com/uptrace/bun/dialect/pgdialect v1.3.0
	github.com/uptrace/bun/driver/pgdriver v1.2.18
)
