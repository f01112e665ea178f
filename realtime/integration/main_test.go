package integration_test

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestMain(m *testing.M) {
	redis.SetLogger(quiet{})
	m.Run()
}

// quiet keeps the client from reporting what the tests break.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}
