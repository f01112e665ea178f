// Package pgtest gives tests a PostgreSQL. It starts a throw-away server from the programs that are installed, or uses the
// one that the environment variable MURPH_TEST_POSTGRES_DSN names:
//
//	func TestStore(t *testing.T) {
//		db, err := sql.Open("pgx", pgtest.Database(t))
//		// ...
//	}
//
// Where there is neither, the test is skipped with the reason, and fails if MURPH_TEST_REQUIRE names postgres, alone or in
// a list with commas. A server that is named and does not answer fails the test.
//
// A server listens on 127.0.0.1 only, keeps its files in a temporary folder, and is gone with the process that started it,
// however that ends. When the process belongs to root, the server runs as the user postgres or nobody, because PostgreSQL
// refuses to run as root.
package pgtest
