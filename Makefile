# The commands of the project. `make run` and `make test` are the two that a newcomer needs.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

WEB := examples/murph/web
ADDR ?= 127.0.0.1:8080
DB ?= murph.db
# What has to be there for the tests: they skip what is missing unless it is named here.
export MURPH_TEST_REQUIRE ?= postgres,pgbouncer,redis,node,browser

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: run
run: web ## start the web application with the chat page
	go run ./examples/murph -addr $(ADDR) -db $(DB) -transport websocket -open

.PHONY: test
# Its own tests run the README's commands but those that are the tests.
test: export MURPH_README_WITHOUT := ^make test$$|^go test
test: deps web clients lint web-test go-test fuzz readme ## install what the tests need, then run everything

.PHONY: deps
deps: ## install PostgreSQL, PgBouncer, Redis and Chromium if they are missing
	@.ci/deps

.PHONY: web
web: $(WEB)/dist/index.html ## build the page

WEB_SOURCES := $(shell find $(WEB) -type f -not -path '*/node_modules/*' -not -path '*/dist/*' 2>/dev/null)

$(WEB)/node_modules/.package-lock.json: $(WEB)/package.json $(WEB)/package-lock.json
	npm --prefix $(WEB) ci --no-audit --no-fund
	@touch $@

$(WEB)/dist/index.html: $(WEB)/node_modules/.package-lock.json $(WEB_SOURCES)
	npm --prefix $(WEB) run build
	@touch $@

CLIENTS := examples/pusherserver/clients

.PHONY: clients
clients: $(CLIENTS)/node_modules/.package-lock.json ## install the official clients and SDKs that the server is tested with

$(CLIENTS)/node_modules/.package-lock.json: $(CLIENTS)/package.json $(CLIENTS)/package-lock.json
	npm --prefix $(CLIENTS) ci --no-audit --no-fund
	@touch $@

.PHONY: web-test
web-test: $(WEB)/node_modules/.package-lock.json ## check the types of the page, lint and unit-test it
	npm --prefix $(WEB) run check

.PHONY: lint
lint: .tools/staticcheck .tools/misspell ## gofmt, vet, staticcheck, spelling, tidy modules
	@.ci/lint

.PHONY: vulncheck
vulncheck: .tools/govulncheck ## known vulnerabilities in what the modules use; needs a way to their database
	@.ci/vulncheck

.tools/staticcheck: PACKAGE := honnef.co/go/tools/cmd/staticcheck
.tools/misspell: PACKAGE := github.com/golangci/misspell/cmd/misspell
.tools/govulncheck: PACKAGE := golang.org/x/vuln/cmd/govulncheck

.tools/%: .ci/tools/go.mod .ci/tools/go.sum
	GOWORK=off go build -C .ci/tools -o $(CURDIR)/$@ $(PACKAGE)

.PHONY: go-test
go-test: ## test every Go module under the race detector and report the coverage
	@.ci/go-test

.PHONY: fuzz
fuzz: ## fuzz what strangers can send, for FUZZTIME each (10 or 30 s)
	@.ci/fuzz

.PHONY: readme
readme: deps ## run the commands of the README, literally, from a clean clone
	@.ci/readme

.PHONY: bench
bench: ## benchmarks with allocations, and round trips where a database is involved
	go test -run '^$$' -bench . -benchmem work

.PHONY: bench-ws
bench-ws: ## the WebSocket server beside a bare writer and centrifuge, in one run; fails when a ratio is missed
	cd realtime/ws/bench && GOWORK=off go run . -gate

.PHONY: torture
torture: deps web ## the long forms of the crash tests, about half an hour
	MURPH_TORTURE=1 go test -race -timeout 60m -count 1 -run 'Kill|Torture|Many|Faults' work
	MURPH_TORTURE=1 go test -timeout 20m -count 1 -run Many ./realtime/ws # with all clients, which the race detector has no room for

.PHONY: picture
picture: deps web ## take the picture of the page that the README shows anew
	go test -count 1 -run '^TestPagePicture$$' ./examples/murph
	cp test-output/page/picture.png examples/murph/page.png

.PHONY: clean
clean: ## remove what was built
	rm -rf .tools coverage test-output $(WEB)/dist $(WEB)/node_modules $(CLIENTS)/node_modules
