package realtimetest

import "time"

// BusCase is what the tests of the suite get to see of a case.
type BusCase struct {
	Name    string
	Clauses []string
}

// BusCases returns all cases of RunBus.
func BusCases() []BusCase {
	var all []BusCase
	for _, c := range busCases() {
		all = append(all, BusCase{c.name, c.clauses})
	}
	return all
}

// SetBusPatience is for a process in which cases are to fail, and only before they run.
func SetBusPatience(d time.Duration) { busPatience = d }
