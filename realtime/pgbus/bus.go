package pgbus

import (
	"errors"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"github.com/murph-chat/murph/realtime"
)

// applicationName is how the connections are called in pg_stat_activity, unless the configuration names them.
const applicationName = "murph pgbus"

// Bus is a [realtime.Bus] over PostgreSQL. Use [New]. All methods are safe for concurrent use.
type Bus struct {
	config  *pgx.ConnConfig
	opts    Options
	running atomic.Bool
	out     outbox
}

var _ realtime.Bus = (*Bus)(nil)

// New makes the bus of one node. config is from [pgx.ParseConfig], or the ConnConfig of a pool's; it is copied. Nothing
// is connected before Run. opts may be nil.
func New(config *pgx.ConnConfig, opts *Options) (*Bus, error) {
	if config == nil {
		return nil, errors.New("pgbus: the configuration is nil")
	}
	o := opts.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	config = config.Copy()
	if config.RuntimeParams["application_name"] == "" {
		if config.RuntimeParams == nil {
			config.RuntimeParams = map[string]string{}
		}
		config.RuntimeParams["application_name"] = applicationName
	}
	b := &Bus{config: config, opts: o}
	b.out.wake = make(chan struct{}, 1)
	return b, nil
}

// MaxFrame implements [realtime.Bus]: it returns [MaxFrame].
func (b *Bus) MaxFrame() int { return MaxFrame }
