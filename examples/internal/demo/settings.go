package demo

import (
	"fmt"
	"strconv"

	"github.com/murph-chat/murph/chat"
)

// envSendRate is the variable with the writes (sends, edits, deletions and read marks) per second that one person may make
// in the long run, ten times as many at once. 0 means no limit.
const envSendRate = "MURPH_SEND_RATE"

// defaultSendRate is far above what people type, and below what a program that has gone wild sends.
const defaultSendRate = 20

// sendRate reads the variable's value.
func sendRate(value string) (chat.Rate, error) {
	perSecond := float64(defaultSendRate)
	if value != "" {
		var err error
		if perSecond, err = strconv.ParseFloat(value, 64); err != nil || perSecond < 0 {
			return chat.Rate{}, fmt.Errorf("%s must be a number of writes per second, or 0 for no limit", envSendRate)
		}
	}
	if perSecond == 0 {
		return chat.Rate{PerSecond: -1}, nil
	}
	return chat.Rate{PerSecond: perSecond, Burst: max(1, int(10*perSecond))}, nil
}
