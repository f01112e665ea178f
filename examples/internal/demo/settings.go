package demo

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/murph-chat/murph/chat"
)

// envSendRate is the variable with the writes (sends, edits, deletions and read marks) per second that one person may make
// in the long run, ten times as many at once. 0 means no limit.
const envSendRate = "MURPH_SEND_RATE"

// defaultSendRate is far above what people type, and below what a program that has gone wild sends.
const defaultSendRate = 20

// maxSendRate is more than any number that is meant as a limit.
const maxSendRate = 1e6

// sendRate reads the variable's value. White space around it does not count, and
// an empty value is none.
func sendRate(value string) (chat.Rate, error) {
	perSecond := float64(defaultSendRate)
	if value = strings.TrimSpace(value); value != "" {
		var err error
		if perSecond, err = strconv.ParseFloat(value, 64); err != nil || !(perSecond >= 0 && perSecond <= maxSendRate) {
			return chat.Rate{}, fmt.Errorf("%s must be a number of writes per second up to %d, or 0 for no limit", envSendRate, int(maxSendRate))
		}
	}
	if perSecond == 0 {
		return chat.Rate{PerSecond: -1}, nil
	}
	return chat.Rate{PerSecond: perSecond, Burst: max(1, int(10*perSecond))}, nil
}
