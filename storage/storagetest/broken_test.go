package storagetest_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/murph-chat/murph/consultation"
	"github.com/murph-chat/murph/storage/memstore"
	"github.com/murph-chat/murph/storage/storagetest"
)

// broken is a store with one fault, and the cases of the suite that have to find it.
type broken struct {
	name  string
	cases []string
	// wrap puts the fault around a good store, also around one that is bound to a transaction. Nil for none.
	wrap func(s storagetest.Store) storagetest.Store
	// inTx replaces the transactions. Nil for good ones.
	inTx func(ctx context.Context, s *memstore.Store, fn func(tx storagetest.Store) error) error
}

func brokenStores() []broken {
	return slices.Concat(
		brokenConsultations(), brokenMessages(), brokenEdits(), brokenReads(), brokenLists(), brokenEpochs(), brokenOutboxes(),
		brokenTransactions(),
	)
}

// faulty keeps the good store below the fault within reach.
type faulty struct {
	storagetest.Store
	good *memstore.Store
}

func (b broken) harness() storagetest.Harness {
	wrap := b.wrap
	if wrap == nil {
		wrap = func(s storagetest.Store) storagetest.Store { return s }
	}
	return storagetest.Harness{
		New: func(testing.TB) storagetest.Store {
			good := memstore.New()
			return &faulty{wrap(good), good}
		},
		InTx: func(tb testing.TB, s storagetest.Store, fn func(tx storagetest.Store) error) error {
			good := s.(*faulty).good
			if b.inTx != nil {
				return b.inTx(tb.Context(), good, fn)
			}
			return good.InTx(tb.Context(), func(tx *memstore.Store) error { return fn(wrap(tx)) })
		},
	}
}

// childEnv names the broken store that TestBroken tests, in a process of its own: there the suite has to fail.
const childEnv = "MURPH_STORAGETEST_BROKEN"

func TestBroken(t *testing.T) {
	t.Parallel()
	name := os.Getenv(childEnv)
	if name == "" {
		t.Skip("it fails, and is for TestSuiteFindsFaults to start")
	}
	for _, b := range brokenStores() {
		if b.name == name {
			storagetest.Run(t, b.harness())
		}
	}
}

func TestSuiteFindsFaults(t *testing.T) {
	t.Parallel()
	cases := map[string]storagetest.Case{}
	for _, c := range storagetest.Cases() {
		cases[c.Name] = c
	}
	for _, b := range brokenStores() {
		require.NotEmpty(t, b.cases, b.name)
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			var groups, names []string
			for _, c := range b.cases {
				require.Contains(t, cases, c)
				group, name, _ := strings.Cut(c, "/")
				groups, names = append(groups, group), append(names, name)
			}
			run := "-test.run=^TestBroken$/^(" + strings.Join(groups, "|") + ")$/^(" + strings.Join(names, "|") + ")$"
			child := exec.CommandContext(t.Context(), os.Args[0], run, "-test.timeout=1m")
			child.Env = append(os.Environ(), childEnv+"="+b.name)
			out, err := child.CombinedOutput()
			require.Error(t, err, "the suite passes")
			require.NotContains(t, string(out), "panic:")
			for _, name := range b.cases {
				require.Contains(t, string(out), "--- FAIL: TestBroken/"+name+" ", "the case does not fail")
				for _, clause := range cases[name].Clauses {
					require.Contains(t, string(out), fmt.Sprintf("the contract of %s says: %q", cases[name].Contract, clause))
				}
			}
		})
	}
}

// TestEveryCaseCanFail keeps a case from being written that no fault has ever set off.
func TestEveryCaseCanFail(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, b := range brokenStores() {
		for _, name := range b.cases {
			found[name] = true
		}
	}
	for _, c := range storagetest.Cases() {
		if !found[c.Name] {
			t.Errorf("no broken store sets off the case %s", c.Name)
		}
	}
}

func TestWithoutTransactions(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, storagetest.Harness{New: func(testing.TB) storagetest.Store { return memstore.New() }})
}

// burn raises the consultation's rev and changes nothing else, as far as the state allows it.
func burn(ctx context.Context, s storagetest.Store, id consultation.ID) {
	c, err := s.Consultation(ctx, id, "")
	if err != nil || c.Student == nil {
		return
	}
	renamed := *c.Student
	renamed.FirstName += "x"
	for _, student := range []*consultation.Participant{&renamed, c.Student} {
		change := consultation.Change{ID: id, By: consultation.Host(), Student: student}
		_, _ = s.Change(ctx, consultation.ChangeParams{Change: change})
	}
}
