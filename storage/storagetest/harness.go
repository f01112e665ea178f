package storagetest

import (
	"testing"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/realtime"
)

// Store is what the suite tests: the three contracts that a store implements, over the same data.
type Store interface {
	consultation.Storage
	chat.Storage
	realtime.Outbox
}

// Harness gives the suite the store under test.
type Harness struct {
	// New returns an empty store, which nobody else uses until the test ends. What has to be closed is closed in a
	// cleanup of tb. It is called once for every case and must be safe for concurrent use. Required.
	New func(tb testing.TB) Store

	// InTx runs fn in a transaction of the host's on the database of s, with the store bound to it. It commits if fn
	// returns nil, and otherwise rolls back and returns the error of fn. It does not repeat by itself:
	// [consultation.ErrRetryTx], from fn or from the commit, comes back to the suite. If it is nil, the cases about
	// transactions are skipped and say so.
	InTx func(tb testing.TB, s Store, fn func(tx Store) error) error
}

// Run runs every case of the suite as a parallel subtest of t.
func Run(t *testing.T, h Harness) {
	t.Helper()
	if h.New == nil {
		t.Fatal("storagetest: Harness.New is required")
	}
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if c.tx && h.InTx == nil {
				t.Skip("storagetest: the harness has no InTx")
			}
			t.Cleanup(func() {
				if t.Failed() {
					for _, s := range c.clauses {
						t.Logf("the contract of %s says: %q", c.contract, s)
					}
				}
			})
			c.run(newEnv(t, h))
		})
	}
}

// contract names one of the interfaces that the suite enforces.
type contract string

const (
	consultations contract = "consultation.Storage"
	messages      contract = "chat.Storage"
	outbox        contract = "realtime.Outbox"
)

// testCase enforces some sentences of one contract.
type testCase struct {
	name     string
	contract contract
	// clauses quotes the contract, as it stands in the comments of the interface and of the types that it uses.
	clauses []string
	// tx says that the case needs Harness.InTx.
	tx  bool
	run func(e *env)
}

func says(sentences ...string) []string { return sentences }

func cases() []testCase {
	var all []testCase
	for _, list := range [][]testCase{
		consultationCases(),
		changeCases(),
		appendCases(),
		historyCases(),
		catchUpCases(),
		inboxCases(),
		markCases(),
		editCases(),
		deleteCases(),
		epochCases(),
		eventCases(),
		outboxCases(),
		ackCases(),
		purgeCases(),
		leaseCases(),
		contextCases(),
		transactionCases(),
		raceCases(),
		orderCases(),
	} {
		all = append(all, list...)
	}
	return all
}
