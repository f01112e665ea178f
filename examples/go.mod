module github.com/murph-chat/murph/examples

go 1.25.0

replace (
	github.com/murph-chat/murph => ../
	github.com/murph-chat/murph/storage/integration => ../storage/integration
	github.com/murph-chat/murph/storage/sqlitestore => ../storage/sqlitestore
)
