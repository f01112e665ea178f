// Package crowd is many people who chat at once: clients that behave as pusher-js does, on the routes that the page uses.
// It counts what goes wrong, and how long things take.
package crowd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/murph-chat/murph/chat"
	"github.com/murph-chat/murph/consultation"
)

// Config says how many people there are. The zero value of a field is its default.
type Config struct {
	URL string // of the application, http://host:port

	Consultations int // between a patient and a student each; defaults to 20
	Tabs          int // of each of the two people; defaults to 5
	PerSecond     int // messages of all people together; defaults to 50
}

// Crowd is the people, their tabs, and what they have seen. It is made by Open.
type Crowd struct {
	cfg    Config
	people []*person
	tabs   []*tab
	cancel context.CancelFunc
	done   sync.WaitGroup
	book   book
}

// Open requests and accepts the consultations and opens all tabs. It returns when each of them is subscribed.
func Open(ctx context.Context, cfg Config) (*Crowd, error) {
	if cfg.Consultations == 0 {
		cfg.Consultations = 20
	}
	if cfg.Tabs == 0 {
		cfg.Tabs = 5
	}
	if cfg.PerSecond == 0 {
		cfg.PerSecond = 50
	}
	c := &Crowd{cfg: cfg}
	for i := range cfg.Consultations {
		patient := newPerson(cfg.URL, fmt.Sprintf("patient-%d", 1000+i))
		student := newPerson(cfg.URL, fmt.Sprintf("student-%d", 1000+i))
		id, err := meet(ctx, patient, student)
		if err != nil {
			return nil, err
		}
		patient.room, student.room = id, id
		c.people = append(c.people, patient, student)
	}
	living, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	for _, p := range c.people {
		for range cfg.Tabs {
			t := &tab{person: p, crowd: c, ready: make(chan struct{})}
			p.tabs = append(p.tabs, t)
			c.tabs = append(c.tabs, t)
			c.done.Go(func() { t.live(living) })
		}
	}
	for _, t := range c.tabs {
		select {
		case <-t.ready:
		case <-ctx.Done():
			c.Close()
			return nil, fmt.Errorf("open %d tabs: %w", len(c.tabs), ctx.Err())
		}
	}
	return c, nil
}

// meet has a patient request a consultation and a student accept it.
func meet(ctx context.Context, patient, student *person) (consultation.ID, error) {
	var header struct{ ID consultation.ID }
	if _, err := patient.do(ctx, "POST", "/api/beratungen", map[string]string{"topic": "crowd"}, &header); err != nil {
		return "", err
	}
	_, err := student.do(ctx, "PATCH", "/api/beratungen/"+string(header.ID), map[string]string{"status": "IN_PROGRESS"}, nil)
	return header.ID, err
}

// Write has the people write until ctx ends, each message from one of the writer's tabs, which must not get it. A message
// is sent again until it is acknowledged.
func (c *Crowd) Write(ctx context.Context) {
	var writers sync.WaitGroup
	defer writers.Wait()
	ticker := time.NewTicker(time.Second / time.Duration(c.cfg.PerSecond))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		p := c.people[rand.IntN(len(c.people))]
		writers.Go(func() {
			p.write(context.WithoutCancel(ctx), p.tabs[rand.IntN(len(p.tabs))], &c.book)
		})
	}
}

// Reassign has the demo give each consultation to another student and back, so that its channels change twice. Messages
// of the student that are refused meanwhile are sent again.
func (c *Crowd) Reassign(ctx context.Context) error {
	for i := 0; i < len(c.people); i += 2 {
		patient, student := c.people[i], c.people[i+1]
		for _, id := range []string{"student-1", student.id} {
			body := map[string]string{"consultationId": string(patient.room), "studentId": id}
			if _, err := patient.do(ctx, "POST", "/demo/reassign", body, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// Converge waits until every tab has all that is stored and sees the two people present, and reports false if that is not
// so when ctx ends. Nobody asks for anything that they have not been told to.
func (c *Crowd) Converge(ctx context.Context) (time.Duration, error) {
	start := time.Now()
	for {
		err := c.compare(ctx)
		if err == nil {
			return time.Since(start), nil
		}
		select {
		case <-ctx.Done():
			return time.Since(start), err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// compare reports the first difference between what is stored and what a tab shows.
func (c *Crowd) compare(ctx context.Context) error {
	for i := 0; i < len(c.people); i += 2 {
		stored, err := c.people[i].stored(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
		for _, p := range c.people[i : i+2] {
			for _, t := range p.tabs {
				if err := t.differs(stored, []string{p.id, c.people[i+1-slices.Index(c.people[i:i+2], p)].id}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Report compares what was acknowledged with what is stored, and returns the figures of everything since Open.
func (c *Crowd) Report(ctx context.Context) (Report, error) {
	r := c.book.report()
	r.Tabs = len(c.tabs)
	for i := 0; i < len(c.people); i += 2 {
		stored, err := c.people[i].stored(ctx)
		if err != nil {
			return r, err
		}
		keys := map[string]int{}
		for _, m := range stored {
			keys[m.ClientMessageID]++
		}
		for _, p := range c.people[i : i+2] {
			for _, key := range p.acknowledged() {
				switch keys[key] {
				case 0:
					r.Lost++
				case 1:
				default:
					r.Doubled++
				}
			}
		}
		r.Stored += len(stored)
	}
	return r, nil
}

// Close closes all tabs.
func (c *Crowd) Close() {
	c.cancel()
	c.done.Wait()
}

var errDiffers = errors.New("a tab differs from what is stored")

// differs compares what the tab shows.
func (t *tab) differs(stored []chat.Message, people []string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	shown := t.log.Messages()
	if floor := t.log.Floor(); floor > 0 { // what is older can be scrolled to
		stored = slices.DeleteFunc(slices.Clone(stored), func(m chat.Message) bool { return m.Seq < floor })
	}
	if len(shown) != len(stored) {
		return fmt.Errorf("%w: %s shows %d of %d messages", errDiffers, t.person.id, len(shown), len(stored))
	}
	for i, m := range shown {
		if m.ID != stored[i].ID || m.Rev != stored[i].Rev {
			return fmt.Errorf("%w: %s shows something else at %d", errDiffers, t.person.id, i)
		}
	}
	for _, id := range people {
		if !t.members[id] {
			return fmt.Errorf("%w: %s does not see %s", errDiffers, t.person.id, id)
		}
	}
	if len(t.members) != len(people) {
		return fmt.Errorf("%w: %s sees a ghost", errDiffers, t.person.id)
	}
	return nil
}
