package storagetest

// Case is what the tests of the suite get to see of a case.
type Case struct {
	Name     string
	Contract string
	Clauses  []string
}

// Cases returns all cases.
func Cases() []Case {
	var all []Case
	for _, c := range cases() {
		all = append(all, Case{c.name, string(c.contract), c.clauses})
	}
	return all
}
