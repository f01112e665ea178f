// Package redistest gives tests a Redis: a throw-away server from the program redis-server that is installed. Where there
// is none, the test is skipped with the reason, and fails if MURPH_TEST_REQUIRE names redis, alone or in a list with
// commas. A server listens on 127.0.0.1 only, keeps nothing but in memory, and is gone with the process that started it,
// however that ends.
package redistest
