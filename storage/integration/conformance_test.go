package integration_test

import (
	"testing"

	"github.com/murph-chat/murph/storage/storagetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d driver) { storagetest.Run(t, d.harness()) }, serializable)
}
